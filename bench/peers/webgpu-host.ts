/** Gives engines that are made for browsers the WebGPU of this host: ours opens it for them. */
import { globals } from "webgpu";
import { openGpu } from "../../src/platform/node.ts";

/** The adapter that is now behind `navigator.gpu`. */
export interface Host {
  readonly description: string;
  /** Throws the first error that a device reported: a refused command would look fast. */
  readonly check: () => void;
}

/** Sets `navigator.gpu` and WebGPU's global names; the adapter is the one that ours would take. */
export async function provideWebGpu(): Promise<Host> {
  const { gpu, adapter, description } = await openGpu();
  let fault: string | null = null;
  const requestDevice = adapter.requestDevice.bind(adapter);
  adapter.requestDevice = async (descriptor) => {
    const device = await requestDevice(descriptor);
    device.addEventListener("uncapturederror", ({ error }) => (fault ??= error.message));
    return device;
  };
  const host = { requestAdapter: () => Promise.resolve(adapter) };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", {
    value: { gpu: Object.assign(Object.create(gpu) as GPU, host), userAgent: "node" },
    configurable: true,
  });
  return {
    description,
    check() {
      if (fault !== null) throw new Error(`a command was refused: ${fault}`);
    },
  };
}
