/** Times the passes of a program one by one, by GPU timestamps. */
import { CaptureError } from "../util/errors.ts";
import type { Engine } from "./engine.ts";
import { GPU_BUFFER_USAGE } from "./pool.ts";

/** A dispatch with everything bound. */
export interface PassCommand {
  readonly kind: "pass";
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: readonly [number, number, number];
  readonly flops: number;
  readonly bytes: number;
}

/** A copy between two buffers. */
export interface CopyCommand {
  readonly kind: "copy";
  readonly from: Range;
  readonly to: Range;
  readonly bytes: number;
}

/** A place in a buffer. */
export interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** A pass and the time it took alone. */
export interface PassTime {
  readonly label: string;
  readonly microseconds: number;
  readonly flops: number;
  readonly bytes: number;
}

const QUERY_RESOLVE = 0x200; // GPUBufferUsage.QUERY_RESOLVE
const MAP_READ_MODE = 0x1; // GPUMapMode.READ
const STAMP_BYTES = 8;

/** Encodes a copy. */
export const encodeCopy = (encoder: GPUCommandEncoder, { from, to, bytes }: CopyCommand): void => {
  encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
};

/** Each pass in a compute pass of its own, between two stamps. */
function encodeTimed(
  encoder: GPUCommandEncoder,
  commands: readonly (PassCommand | CopyCommand)[],
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
    pass.setBindGroup(0, command.bindGroup);
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
  commands: readonly (PassCommand | CopyCommand)[],
): Promise<PassTime[]> {
  const { device } = engine.gpu;
  const passes = commands.filter((command) => command.kind === "pass");
  if (!device.features.has("timestamp-query"))
    throw new CaptureError("profile: this adapter has no timestamp-query");
  const count = 2 * passes.length;
  const bytes = count * STAMP_BYTES;
  const querySet = device.createQuerySet({ type: "timestamp", count });
  const { COPY_SRC, COPY_DST, MAP_READ } = GPU_BUFFER_USAGE;
  const resolved = device.createBuffer({ size: bytes, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
  const encoder = device.createCommandEncoder({ label: "profile" });
  encodeTimed(encoder, commands, querySet);
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(MAP_READ_MODE);
  const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
  for (const buffer of [resolved, staging]) buffer.destroy();
  querySet.destroy();
  return passes.map(({ label, flops, bytes: moved }, index) => {
    const nanoseconds = Number((stamps[2 * index + 1] ?? 0n) - (stamps[2 * index] ?? 0n));
    return { label, microseconds: nanoseconds / 1000, flops, bytes: moved };
  });
}
