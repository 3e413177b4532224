/**
 * What replaying costs the host beside a bare loop: a program's dispatches, seen as it encodes them,
 * are encoded by hand in turns with the program's own runs.
 */
import { createEngine } from "../src/engine/index.ts";
import type { Engine } from "../src/engine/index.ts";
import { summarise } from "../src/util/timing.ts";
import type { Timing } from "../src/util/timing.ts";
import { tap } from "./count.ts";
import { another, ratioOf, turns } from "./ratios.ts";
import type { Ratio } from "./ratios.ts";
import type { Row, RowName } from "./rows/row.ts";
import { LEAST_ROUNDS } from "./turns.ts";
import type { TurnOptions } from "./turns.ts";

/** A program's row beside its bare loop; host time of encoding, a dispatch, in µs. */
export interface Bare extends RowName {
  readonly dispatches: number;
  /** From the call until all is encoded, inputs checked and written among it. */
  readonly replayed: Timing;
  readonly bare: Timing;
  /** Replayed over bare, by rounds. */
  readonly ratio: Ratio | null;
}

/** A dispatch as a program encodes it. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly offsets: readonly number[];
  readonly grid: readonly [number, number, number];
}

/** Follows what a compute pass is told; the spec says what the arguments are. */
function watchPass(pass: GPUComputePassEncoder, found: Dispatch[]): void {
  let pipeline: GPUComputePipeline | null = null;
  let bound: Pick<Dispatch, "bindGroup" | "offsets"> | null = null;
  tap(pass, "setPipeline", (_, [set]) => {
    pipeline = set as GPUComputePipeline;
  });
  tap(pass, "setBindGroup", (_, [, bindGroup, offsets = []]) => {
    bound = { bindGroup: bindGroup as GPUBindGroup, offsets: offsets as readonly number[] };
  });
  tap(pass, "dispatchWorkgroups", (_, [x, y = 1, z = 1]) => {
    if (!pipeline || !bound) throw new RangeError("a dispatch without a pipeline or a bind group");
    found.push({ pipeline, ...bound, grid: [Number(x), Number(y), Number(z)] });
  });
}

/** The dispatches of one run, in order; copies between them are not seen. */
export async function dispatchesOf(engine: Engine, run: () => unknown): Promise<Dispatch[]> {
  const found: Dispatch[] = [];
  const end = tap(engine.gpu.device, "createCommandEncoder", (encoder) => {
    tap(encoder as GPUCommandEncoder, "beginComputePass", (pass) => {
      watchPass(pass as GPUComputePassEncoder, found);
    });
  });
  try {
    await run();
    await engine.finish();
  } finally {
    end();
  }
  return found;
}

/** One pass, one submit, and nothing else. */
export function encodeBare({ device }: Engine["gpu"], dispatches: readonly Dispatch[]): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { pipeline, bindGroup, offsets, grid } of dispatches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup, offsets);
    pass.dispatchWorkgroups(...grid);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
}

/**
 * A clock that stops where a run hands its work over: submit itself is one call for both, and
 * a software adapter's threads begin to compete for the cores in it.
 */
function encodingClock({ gpu: { device } }: Engine): (run: () => unknown) => Promise<number> {
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  let encoded = NaN;
  queue.submit = (buffers) => {
    encoded = performance.now();
    submit(buffers);
  };
  return async (run) => {
    const start = performance.now();
    await run();
    const took = encoded - start;
    await queue.onSubmittedWorkDone();
    return took;
  };
}

/** Takes turns between a program's runs and the bare loop of its dispatches, in one engine. */
export async function measureBare(
  row: Row,
  { adapter, samples: most, budgetMs }: TurnOptions,
): Promise<Bare> {
  const engine = await createEngine(adapter ? { adapter } : {});
  try {
    return await engine.scope(async () => {
      const { run } = await row.prepare(engine);
      await run();
      const dispatches = await dispatchesOf(engine, run);
      const clock = encodingClock(engine);
      const loop = (): void => {
        encodeBare(engine.gpu, dispatches);
      };
      const replayed = { run, times: new Array<number>() };
      const bare = { run: loop, times: new Array<number>() };
      for (const side of [replayed, bare]) await clock(side.run); // the first is slower
      const start = performance.now();
      const effort = { least: LEAST_ROUNDS, most, budgetMs: 2 * budgetMs };
      for (let round = 0; another(round, performance.now() - start, effort); round++)
        for (const side of turns([replayed, bare], round))
          side.times.push((1000 * (await clock(side.run))) / dispatches.length);
      const ratio = ratioOf(replayed.times, bare.times);
      const sides = { replayed: summarise(replayed.times), bare: summarise(bare.times) };
      const { name, shape, variant } = row;
      return { name, shape, variant, dispatches: dispatches.length, ...sides, ratio };
    });
  } finally {
    engine.destroy();
  }
}
