/** onnxruntime-node, on its WebGPU or its CPU execution provider; inputs and outputs are on the host. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Session } from "onnxruntime-node";
import { cpus } from "node:os";
import { onlyDriver } from "../drivers.ts";
import { floats, given } from "../engine.ts";
import type { PeerEngine } from "../engine.ts";
import { onnxModel } from "../onnx.ts";
import { works } from "../works.ts";
import { installed } from "./version.ts";

type Provider = "webgpu" | "cpu";

const open = (model: Uint8Array, provider: Provider): Promise<Session> =>
  InferenceSession.create(model, {
    executionProviders: [provider],
    logSeverityLevel: 3,
    intraOpNumThreads: cpus().length,
    // Silently running on the CPU instead would be measured as WebGPU.
    ...(provider === "webgpu" ? { extra: { session: { disable_cpu_ep_fallback: "1" } } } : {}),
  });

/** A model that runs at once: its provider starts, and loads its driver. */
async function probe(provider: Provider): Promise<void> {
  const softmax = works.find(({ kind }) => kind === "softmax");
  if (!softmax) throw new TypeError("no work to probe with");
  const x = { shape: [2, 8], values: new Float32Array(16), weight: false };
  const { model } = onnxModel(softmax, { x });
  const session = await open(model, provider);
  await session.run({ x: new Tensor("float32", x.values, x.shape) });
}

/** The engine with one of its providers. */
export function onnxruntime(provider: Provider): PeerEngine {
  return {
    async available() {
      await probe(provider);
      const adapter = provider === "webgpu" ? onlyDriver() : null;
      return { version: installed("onnxruntime-node"), adapter };
    },
    prepare(work, inputs) {
      const { model, output } = onnxModel(work, inputs);
      const names = Object.keys(inputs).filter(
        (name) => name !== "labels" && !given(inputs, name).weight,
      );
      const feeds = Object.fromEntries(
        names.map((name) => [
          name,
          new Tensor("float32", floats(inputs, name), given(inputs, name).shape),
        ]),
      );
      let session: Session | null = null; // made by the first run: it is when kernels are chosen
      const once = async (): Promise<Float32Array> => {
        session ??= await open(model, provider);
        const found = (await session.run(feeds))[output];
        if (!found) throw new RangeError(`no output ${output}`);
        return found.data;
      };
      return Promise.resolve({
        async run(repeats: number) {
          for (let k = 0; k < repeats; k++) await once();
        },
        result: async () => ({ y: await once() }),
      });
    },
  };
}
