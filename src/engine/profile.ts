/** Times work by GPU timestamps: the passes of a program one by one, or a stretch of the queue. */
import { CaptureError } from "../util/errors.ts";
import type { Engine } from "./engine.ts";
import { GPU_BUFFER_USAGE } from "./pool.ts";

/** A pass and what it costs, as its plan counts. */
export interface PassCost {
  readonly label: string;
  readonly flops: number;
  readonly bytes: number;
}

/** A dispatch with everything bound. */
export interface PassCommand extends PassCost {
  readonly kind: "pass";
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  /** Where the params lie in their buffer; none without params. */
  readonly offsets: readonly number[];
  readonly grid: readonly [number, number, number];
}

/** A copy between two buffers. */
export interface CopyCommand {
  readonly kind: "copy";
  readonly from: Range;
  readonly to: Range;
  readonly bytes: number;
}

/** A dispatch or a copy with everything bound. */
export type Command = PassCommand | CopyCommand;

/** A place in a buffer. */
export interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** A pass and the time it took alone. */
export interface PassTime extends PassCost {
  readonly microseconds: number;
}

/** Whether the adapter has timestamps. */
export const hasTimestamps = ({ caps }: Engine): boolean => caps.features.has("timestamp-query");

const QUERY_RESOLVE = 0x200; // GPUBufferUsage.QUERY_RESOLVE
const MAP_READ_MODE = 0x1; // GPUMapMode.READ
const STAMP_BYTES = 8;
/** Commands of one query set, which holds 4,096 stamps at most: two a pass. */
const STRETCH = 2_048;

/** Encodes a copy. */
export const encodeCopy = (encoder: GPUCommandEncoder, { from, to, bytes }: CopyCommand): void => {
  encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
};

/** Each pass in a compute pass of its own, between two stamps. */
function encodeTimed(
  encoder: GPUCommandEncoder,
  commands: readonly Command[],
  querySet: GPUQuerySet,
): void {
  let stamp = 0;
  for (const command of commands) {
    if (command.kind === "copy") {
      encodeCopy(encoder, command);
      continue;
    }
    const pass = encoder.beginComputePass({
      timestampWrites: {
        querySet,
        beginningOfPassWriteIndex: stamp++,
        endOfPassWriteIndex: stamp++,
      },
    });
    pass.setPipeline(command.pipeline);
    pass.setBindGroup(0, command.bindGroup, command.offsets);
    pass.dispatchWorkgroups(...command.grid);
    pass.end();
  }
}

/**
 * Runs the commands in order, each pass in a compute pass of its own; copies are not timed.
 * @throws CaptureError if the adapter has no timestamps.
 */
export async function profilePasses(
  engine: Engine,
  commands: readonly Command[],
): Promise<PassTime[]> {
  const times: PassTime[] = [];
  for (let start = 0; start < commands.length; start += STRETCH)
    times.push(...(await profileStretch(engine, commands.slice(start, start + STRETCH))));
  return times;
}

async function profileStretch(engine: Engine, commands: readonly Command[]): Promise<PassTime[]> {
  const passes = commands.filter((command) => command.kind === "pass");
  // A set of no queries cannot be read, and copies alone need none.
  const stamps = new Stamps(engine, Math.max(1, 2 * passes.length));
  const { device } = engine.gpu;
  const encoder = device.createCommandEncoder({ label: "profile" });
  encodeTimed(encoder, commands, stamps.querySet);
  device.queue.submit([encoder.finish()]);
  const nanoseconds = await stamps.read();
  stamps.destroy();
  return passes.map(({ label, flops, bytes: moved }, index) => {
    const took = Number((nanoseconds[2 * index + 1] ?? 0n) - (nanoseconds[2 * index] ?? 0n));
    return { label, microseconds: took / 1000, flops, bytes: moved };
  });
}

/** Timestamps in nanoseconds, and the way to the host. */
class Stamps {
  readonly querySet: GPUQuerySet;
  private readonly device: GPUDevice;
  private readonly resolved: GPUBuffer;
  private readonly staging: GPUBuffer;

  constructor(engine: Engine, count: number) {
    const { device } = engine.gpu;
    if (!hasTimestamps(engine))
      throw new CaptureError("profile: this adapter has no timestamp-query");
    this.device = device;
    const { COPY_SRC, COPY_DST, MAP_READ } = GPU_BUFFER_USAGE;
    const size = count * STAMP_BYTES;
    this.querySet = device.createQuerySet({ type: "timestamp", count });
    this.resolved = device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
    this.staging = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  }

  /** All stamps, when the work queued before is done. */
  async read(): Promise<BigUint64Array> {
    const { device, querySet, resolved, staging } = this;
    const encoder = device.createCommandEncoder({ label: "timestamps" });
    encoder.resolveQuerySet(querySet, 0, querySet.count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, staging.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ_MODE);
    const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return stamps;
  }

  destroy(): void {
    for (const buffer of [this.resolved, this.staging]) buffer.destroy();
    this.querySet.destroy();
  }
}

/**
 * Times what is queued between two marks, on the GPU's clock. The host's work shows only where the
 * GPU has to wait for it.
 *
 * @example
 * timer.start();
 * engine.ops.matmul(a, b);
 * timer.stop();
 * const ms = await timer.milliseconds();
 */
export class QueueTimer {
  private readonly engine: Engine;
  private readonly stamps: Stamps;

  /** @throws CaptureError if the adapter has no timestamps. */
  constructor(engine: Engine) {
    this.engine = engine;
    this.stamps = new Stamps(engine, 2);
  }

  /** Begins, in the same submit as the eager work that follows. */
  start(): void {
    this.engine.eager.stamp(this.stamps.querySet, 0);
  }

  /** Ends after the work queued so far, and submits it. */
  stop(): void {
    this.engine.eager.stamp(this.stamps.querySet, 1);
    this.engine.eager.flush();
  }

  /** Milliseconds between the marks; waits until the GPU is past them. */
  async milliseconds(): Promise<number> {
    const [start = 0n, end = 0n] = await this.stamps.read();
    return Number(end - start) / 1e6;
  }

  /** Frees what the timer took. */
  destroy(): void {
    this.stamps.destroy();
  }
}
