/** Counts what a piece of work asks of WebGPU, and the bytes of buffers that exist meanwhile. */
import type { Engine } from "../src/engine/index.ts";

/** WebGPU calls of one run. */
export interface CallCounts {
  readonly dispatches: number;
  readonly copies: number;
  readonly submits: number;
  readonly writes: number;
  readonly buffers: number;
  readonly bufferBytes: number;
  readonly bindGroups: number;
  readonly pipelines: number;
}

/** Bytes of GPU buffers. */
export interface BufferBytes {
  now: number;
  peak: number;
}

type Seen = (result: unknown, args: readonly unknown[]) => void;

/** Tells `seen` of each call of a method until the returned function is called. */
export function tap(target: object, method: string, seen: Seen): () => void {
  const original = Reflect.get(target, method) as (...args: unknown[]) => unknown; // by the spec
  Object.defineProperty(target, method, {
    configurable: true,
    value: (...args: unknown[]) => {
      const result: unknown = Reflect.apply(original, target, args);
      seen(result, args);
      return result;
    },
  });
  return () => {
    Object.defineProperty(target, method, { configurable: true, value: original.bind(target) });
  };
}

/** Counts calls while `run` runs. */
export async function countCalls(engine: Engine, run: () => unknown): Promise<CallCounts> {
  const { device } = engine.gpu;
  const counts = {
    dispatches: 0,
    copies: 0,
    submits: 0,
    writes: 0,
    buffers: 0,
    bufferBytes: 0,
    bindGroups: 0,
    pipelines: 0,
  };
  const count = (target: object, method: string, name: keyof CallCounts): (() => void) =>
    tap(target, method, () => {
      counts[name]++;
    });
  const ends = [
    count(device.queue, "submit", "submits"),
    count(device.queue, "writeBuffer", "writes"),
    count(device, "createBindGroup", "bindGroups"),
    count(device, "createComputePipeline", "pipelines"),
    count(device, "createComputePipelineAsync", "pipelines"),
    tap(device, "createBuffer", (buffer) => {
      counts.buffers++;
      counts.bufferBytes += (buffer as GPUBuffer).size;
    }),
    tap(device, "createCommandEncoder", (encoder) => {
      const made = encoder as GPUCommandEncoder;
      count(made, "copyBufferToBuffer", "copies");
      tap(made, "beginComputePass", (pass) => {
        count(pass as GPUComputePassEncoder, "dispatchWorkgroups", "dispatches");
      });
    }),
  ];
  try {
    await run();
    await engine.finish();
  } finally {
    for (const end of ends) end();
  }
  return counts;
}

/** Follows the buffers that an engine makes from now on. */
export function trackBuffers(engine: Engine): BufferBytes {
  const bytes: BufferBytes = { now: 0, peak: 0 };
  tap(engine.gpu.device, "createBuffer", (made) => {
    const buffer = made as GPUBuffer;
    bytes.now += buffer.size;
    bytes.peak = Math.max(bytes.peak, bytes.now);
    let alive = true;
    tap(buffer, "destroy", () => {
      if (alive) bytes.now -= buffer.size;
      alive = false;
    });
  });
  return bytes;
}
