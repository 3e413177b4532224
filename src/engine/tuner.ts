/** Times the variants of ops on this adapter, so that a later engine may pick the fastest. */
import type { Attrs, InputMetas, OpDef } from "../kernels/op.ts";
import { pickVariant } from "../kernels/op.ts";
import { pickKey, usableVariants } from "../kernels/picks.ts";
import type { Picks } from "../kernels/picks.ts";
import { uniform } from "../util/random.ts";
import { at, sizeOf } from "../util/shape.ts";
import { summarise } from "../util/timing.ts";
import type { Timing } from "../util/timing.ts";
import { Recorder } from "./capture.ts";
import type { Engine } from "./engine.ts";
import type { Tensor } from "./tensor.ts";

/** A call whose op has a choice of variants. */
export interface TuneCall {
  readonly op: OpDef;
  readonly inputs: InputMetas;
  readonly attrs: Attrs;
}

/** What the tuner found for one kind of call. */
export interface TuneResult {
  /** As {@link pickKey} names it. */
  readonly key: string;
  readonly op: string;
  /** The shapes that were timed; null for an absent input. */
  readonly shapes: readonly (readonly number[] | null)[];
  /** Wall time by variant, in ms; one sample only of variants that are far behind. */
  readonly timings: Readonly<Record<string, Timing>>;
  /** The static pick. */
  readonly standard: string;
  /** The fastest; the static pick unless another is faster beyond the spread. */
  readonly pick: string;
}

/** Options of {@link tune}. */
export interface TuneOptions {
  /** Samples of each variant, taken in turns; default 9. */
  readonly rounds?: number;
  readonly onProgress?: (done: number, key: string) => void;
  readonly signal?: AbortSignal;
}

/** A variant this many times slower than another gets no further sample. */
const FAR_BEHIND = 4;
/** A sample shorter than this repeats its work, so that a submit's own cost does not show. */
const SHORTEST_SAMPLE_MS = 5;
const MOST_REPEATS = 64;
/** Another variant must be faster by this share, and beyond both spreads. */
const WORTH_IT = 0.03;
const SEED = 1;

/** The calls of `work` that have a choice, one of each key. `work` is recorded, not run. */
export function callsOf(engine: Engine, work: () => void): TuneCall[] {
  const calls = new Map<string, TuneCall>();
  const recorder = new Recorder();
  try {
    engine.observe(
      ({ op, inputs, attrs }) => {
        if (op.mutates || usableVariants(op, inputs, attrs, engine.caps).length < 2) return;
        const metas = inputs.map((input) => input && { shape: input.shape, dtype: input.dtype });
        const key = pickKey(op, metas, attrs);
        if (!calls.has(key)) calls.set(key, { op, inputs: metas, attrs });
      },
      () => {
        engine.withExecutor(recorder, () => {
          engine.scope(work);
        });
      },
    );
  } finally {
    for (const storage of recorder.held) storage.release();
  }
  return [...calls.values()];
}

/** Times every usable variant of every call, in turns. */
export async function tune(
  engine: Engine,
  calls: readonly TuneCall[],
  { rounds = 9, onProgress, signal }: TuneOptions = {},
): Promise<TuneResult[]> {
  const results: TuneResult[] = [];
  for (const call of calls) {
    signal?.throwIfAborted();
    const result = await engine.scope(() => tuneCall(engine, call, rounds));
    results.push(result);
    onProgress?.(results.length, result.key);
  }
  return results;
}

/** Picks for `createEngine`: what differs from the static ones. */
export const picksOf = (results: readonly TuneResult[]): Picks =>
  Object.fromEntries(
    results.flatMap(({ key, pick, standard }) => (pick === standard ? [] : [[key, pick]])),
  );

async function tuneCall(engine: Engine, call: TuneCall, rounds: number): Promise<TuneResult> {
  const { op, inputs, attrs } = call;
  const tensors = inputs.map((input, index) => {
    if (!input) return null;
    const values = uniform(sizeOf(input.shape), { seed: SEED, stream: index, low: -1 });
    return input.dtype === "f32"
      ? engine.tensor(values, input.shape)
      : engine.zeros(input.shape, input.dtype);
  });
  const variants = usableVariants(op, inputs, attrs, engine.caps);
  const times = await sampleInTurns(engine, { ...call, tensors, variants }, rounds);
  const timings = Object.fromEntries(variants.map((name, k) => [name, summarise(at(times, k))]));
  const standard = pickVariant(op, inputs, attrs, engine.caps);
  return {
    key: pickKey(op, inputs, attrs),
    op: op.name,
    shapes: inputs.map((input) => input?.shape ?? null),
    timings,
    standard,
    pick: fastest(timings, standard),
  };
}

interface Contest extends TuneCall {
  readonly tensors: readonly (Tensor | null)[];
  readonly variants: readonly string[];
}

/** Samples in ms by variant; the turns keep a machine's moods from favouring one. */
async function sampleInTurns(
  engine: Engine,
  { op, attrs, tensors, variants }: Contest,
  rounds: number,
): Promise<number[][]> {
  const sample = async (variant: string, repeats: number): Promise<number> => {
    const start = performance.now();
    for (let k = 0; k < repeats; k++)
      engine.scope(() => {
        engine.run(op, tensors, attrs, variant);
      });
    await engine.finish();
    return (performance.now() - start) / repeats;
  };
  const warm: number[] = [];
  for (const variant of variants) {
    await sample(variant, 1); // compiles
    warm.push(Math.min(await sample(variant, 1), await sample(variant, 1))); // one may be a hiccup
  }
  const best = Math.min(...warm);
  const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.ceil(SHORTEST_SAMPLE_MS / best)));
  const times = warm.map((time) => (time > FAR_BEHIND * best ? [time] : []));
  const rivals = variants.filter((_, k) => at(times, k).length === 0);
  for (let round = 0; round < rounds; round++)
    for (const rival of rivals)
      at(times, variants.indexOf(rival)).push(await sample(rival, repeats));
  return times;
}

/** The variant with the least median, unless the static pick is as good within the spread. */
export function fastest(timings: Readonly<Record<string, Timing>>, standard: string): string {
  const [name = standard, least] =
    Object.entries(timings).sort(([, a], [, b]) => a.median - b.median)[0] ?? [];
  const own = timings[standard];
  if (least === undefined || own === undefined) return name;
  const gain = own.median - least.median;
  return gain > Math.max(WORTH_IT * own.median, own.mad + least.mad) ? name : standard;
}
