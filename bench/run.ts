/** Measures one row in an engine of its own, so that its first call is cold and its memory its own. */
import { createEngine } from "../src/engine/index.ts";
import type { Engine, PassTime } from "../src/engine/index.ts";
import { NecoError } from "../src/util/errors.ts";
import type { DType } from "../src/util/shape.ts";
import { countCalls, trackBuffers } from "./count.ts";
import type { CallCounts } from "./count.ts";
import { hasTimestamps } from "../src/engine/profile.ts";
import { clockFor, time } from "./measure.ts";
import type { Budget, Clock } from "./measure.ts";
import { boundOf, fractionOfRoof, intensity } from "./roofline.ts";
import type { Bound, Roof } from "./roofline.ts";
import { keyOf } from "./rows/row.ts";
import type { Facts, Row } from "./rows/row.ts";

/** A measured row, as the JSON holds it. Times in ms. */
export interface Measured {
  readonly name: string;
  readonly shape: string;
  readonly dtype: DType;
  readonly variant: string;
  readonly kind: Row["kind"];
  /** What the engine takes unless told otherwise; absent in older files. */
  readonly picked?: boolean;
  /** Same as `median`, under the contract's name. */
  readonly ms: number;
  /** Of warm calls, by the clock that `timer` names. */
  readonly median: number;
  readonly mad: number;
  readonly best: number;
  readonly samples: number;
  readonly timer: Clock;
  /** Median and spread of the same calls by the host's clock. */
  readonly wall_ms: number;
  readonly wall_mad: number;
  /** First call, compiling included, by the host's clock. */
  readonly cold_ms: number;
  /** Host time until a warm call is submitted. */
  readonly host_us: number;
  readonly flops: number;
  readonly bytes: number;
  readonly gflops: number;
  readonly gbs: number;
  /** Operations per byte; null where one of them is not counted. */
  readonly intensity: number | null;
  readonly bound: Bound | null;
  /** Of min(FMA peak, intensity × copy peak). */
  readonly fraction_of_peak: number;
  /** In one warm call. */
  readonly dispatches: number;
  readonly submits: number;
  readonly calls: CallCounts;
  /** Most bytes of GPU buffers that existed at once, inputs included. */
  readonly peak_bytes: number;
  /** Pipelines that the row made, from its set-up on. */
  readonly pipelines: number;
  readonly facts: Facts;
  /** Time by pass, where asked for and known. */
  readonly passes?: readonly PassTime[];
}

/** How to measure. */
export interface RunOptions extends Budget {
  readonly adapter?: string;
  /** GPU timestamps where there are some, unless told otherwise. */
  readonly timer: Clock | "auto";
  /** Time every pass of programs by itself too. */
  readonly profile: boolean;
  readonly roof: Roof;
}

/** Measures a row. Errors say which row it was. */
export async function runRow(row: Row, options: RunOptions): Promise<Measured> {
  const engine = await createEngine(options.adapter ? { adapter: options.adapter } : {});
  try {
    return await engine.scope(() => measureRow(engine, row, options));
  } catch (error) {
    const message = `${keyOf(row)}: ${error instanceof Error ? error.message : String(error)}`;
    if (error instanceof NecoError) throw new NecoError(error.kind, message, { cause: error });
    throw new Error(message, { cause: error });
  } finally {
    engine.destroy();
  }
}

async function measureRow(engine: Engine, row: Row, options: RunOptions): Promise<Measured> {
  const { roof, profile } = options;
  const buffers = trackBuffers(engine);
  const work = await row.prepare(engine);
  await engine.finish(); // uploads are not part of the first call
  const clock = clockFor(engine, options.timer);
  const { timing, wall, ...measured } = await time(engine, work, { ...options, clock });
  const calls = await countCalls(engine, () => work.run());
  const peakBytes = buffers.peak;
  const cost = work.cost();
  const perByte = intensity(cost);
  const { name, shape, variant, kind, picked, dtype = "f32" } = row;
  return {
    name,
    shape,
    dtype,
    variant,
    kind,
    picked,
    ms: timing.median,
    ...timing,
    timer: measured.timer,
    wall_ms: wall.median,
    wall_mad: wall.mad,
    cold_ms: measured.coldMs,
    host_us: measured.hostMicroseconds,
    ...cost,
    gflops: cost.flops / (timing.median * 1e6),
    gbs: cost.bytes / (timing.median * 1e6),
    intensity: perByte > 0 && Number.isFinite(perByte) ? perByte : null,
    bound: boundOf(cost, roof),
    fraction_of_peak: fractionOfRoof(cost, timing.median, roof),
    dispatches: calls.dispatches,
    submits: calls.submits,
    calls,
    peak_bytes: peakBytes,
    pipelines: engine.pipelines.created,
    facts: (await work.facts?.()) ?? {},
    ...(profile && work.profile && hasTimestamps(engine) ? { passes: await work.profile() } : {}),
  };
}
