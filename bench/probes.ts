/** Measures what the adapter can do at best, in this process: the yardstick for every other figure. */
import { copyProbe as copyShader, fmaProbe as fmaShader } from "../shaders/probes.wgsl.ts";
import type { CopyProbeOptions } from "../shaders/probes.wgsl.ts";
import type { Engine, Tensor } from "../src/engine/index.ts";
import { defineOp, need } from "../src/kernels/op.ts";
import type { Attrs, Variant } from "../src/kernels/op.ts";
import { foldGrid, reads, u, writes } from "../src/kernels/pass.ts";
import { at, bytesOf, ceilDiv, sizeOf } from "../src/util/shape.ts";

/** The best of a few kernels that do nothing else. */
export interface Peak {
  /** GFLOP/s, or GB/s read plus written. */
  readonly rate: number;
  /** The kernel that reached it. */
  readonly variant: string;
}

/** An adapter's peaks; `bufferCopy` is the driver's own copy, which no kernel is held against. */
export interface Peaks {
  readonly fma: Peak;
  /** The best of `copies`. */
  readonly copy: Peak;
  /** Kernels that copy: a scalar, or one, four or eight vec4s per lane. */
  readonly copies: readonly Peak[];
  readonly bufferCopy: Peak;
}

const WORKGROUP = 64; // lanes
const FMA_WORKGROUP = { cpu: 64, gpu: 256 }; // lanes
const FMA_STEPS = 1024; // per dispatch
const FMA_LANES = { cpu: 2 ** 13, gpu: 2 ** 20 };
const COPY_BYTES = { cpu: 2 ** 25, gpu: 2 ** 28 }; // beyond every cache, and far above what a dispatch costs
const ROUND_MS = 40; // shortest measured round: far above a submit's cost
const ROUNDS = 5;

/**
 * Kernels of multiply-adds. Steps written out spare the loop's own instructions, which took 40 % of an
 * H200's peak from eight vec4s and one step a turn; software adapters prefer other numbers of chains.
 */
export const FMA_KERNELS = {
  scalar12: { element: "f32", chains: 12, repeats: 1 },
  "scalar12 × 8": { element: "f32", chains: 12, repeats: 8 },
  vec4x8: { element: "vec4f", chains: 8, repeats: 1 },
  "vec4x8 × 4": { element: "vec4f", chains: 8, repeats: 4 },
  "vec4x4 × 8": { element: "vec4f", chains: 4, repeats: 8 },
} as const;
type FmaKernel = (typeof FMA_KERNELS)[keyof typeof FMA_KERNELS];

/** Operations of one lane in one step. */
const fmaFlops = ({ element, chains }: FmaKernel): number =>
  2 * chains * (element === "vec4f" ? 4 : 1);

/** `steps`: multiply-adds of each chain, a multiple of what a turn writes out. */
const fmaVariant = (kernel: FmaKernel): Variant<Attrs> => ({
  usable: () => true,
  plan(inputs, { steps }, caps) {
    const lanes = sizeOf(need(inputs, 0).shape);
    const workgroup = FMA_WORKGROUP[caps.adapterClass];
    return {
      temps: [],
      passes: [
        {
          label: `fma probe ${kernel.element}`,
          code: fmaShader({ workgroup, ...kernel }),
          bindings: [...reads("in0"), ...writes("out0")],
          params: [u(lanes), u(Number(steps) / kernel.repeats)],
          grid: foldGrid(ceilDiv(lanes, workgroup), caps),
        },
      ],
    };
  },
});

const fmaProbe = defineOp({
  name: "fmaProbe",
  inputs: ["x"],
  outputs: ["y"],
  defaults: { steps: FMA_STEPS },
  infer: (inputs) => [need(inputs, 0)],
  variants: Object.fromEntries(
    Object.entries(FMA_KERNELS).map(([name, kernel]) => [name, fmaVariant(kernel)]),
  ),
  grad: null, // a probe
});

const copyVariant = (options: CopyProbeOptions): Variant<Attrs> => ({
  usable: () => true,
  plan(inputs, _attrs, caps) {
    const { element, perLane, workgroup } = options;
    const count = sizeOf(need(inputs, 0).shape) / (element === "vec4f" ? 4 : 1);
    return {
      temps: [],
      passes: [
        {
          label: `copy probe ${element} × ${perLane}`,
          code: copyShader(options),
          bindings: [...reads("in0"), ...writes("out0")],
          params: [u(count)],
          grid: foldGrid(ceilDiv(count, workgroup * perLane), caps),
        },
      ],
    };
  },
});

const copyProbe = defineOp({
  name: "copyProbe",
  inputs: ["x"],
  outputs: ["y"],
  defaults: {},
  infer: (inputs) => [need(inputs, 0)],
  variants: {
    scalar: copyVariant({ workgroup: WORKGROUP, element: "f32", perLane: 1 }),
    vec4: copyVariant({ workgroup: WORKGROUP, element: "vec4f", perLane: 1 }),
    vec4x4: copyVariant({ workgroup: WORKGROUP, element: "vec4f", perLane: 4 }),
    "vec4x8, 256 lanes": copyVariant({ workgroup: 256, element: "vec4f", perLane: 8 }),
  },
  grad: null, // a probe
});

/** Names of the copy kernels: those that design.md holds memory-bound kernels against, and a wider one. */
export const COPY_KERNELS = { plain: ["scalar", "vec4", "vec4x4"], wide: ["vec4x8, 256 lanes"] };

/** y = x [count] by one of {@link COPY_KERNELS}; count is a multiple of 4. */
export function copyOnce(engine: Engine, x: Tensor, variant: string): Tensor {
  const [y] = engine.run(copyProbe, [x], {}, variant);
  if (!y) throw new TypeError("copyProbe has one output");
  return y;
}

/** Milliseconds of {@link copyOnce}. */
export const timeCopy = (
  engine: Engine,
  x: Tensor,
  variant: string,
  now: () => number = () => performance.now(),
): Promise<number> =>
  timed(
    engine,
    () => {
      copyOnce(engine, x, variant).dispose();
    },
    now,
  );

/** Measures all peaks; takes a second or two. `now` in ms. */
export async function measurePeaks(
  engine: Engine,
  now: () => number = () => performance.now(),
): Promise<Peaks> {
  const fma = await measureFma(engine, now);
  return engine.scope(async () => {
    const bytes = COPY_BYTES[engine.caps.adapterClass];
    const x = engine.zeros([bytes / 4]);
    const copies: Peak[] = [];
    for (const variant of Object.keys(copyProbe.variants)) {
      const ms = await timeCopy(engine, x, variant, now);
      copies.push({ variant, rate: (2 * bytes) / (ms * 1e6) });
    }
    const y = engine.zeros(x.shape);
    const ms = await timed(
      engine,
      () => {
        engine.assign(y, x);
      },
      now,
    );
    const bufferCopy = { variant: "buffer to buffer", rate: (2 * bytesOf(x)) / (ms * 1e6) };
    return { fma, copy: best(copies), copies, bufferCopy };
  });
}

/** The FMA peak alone, in GFLOP/s; picks what a machine can be asked to do. `now` in ms. */
export function measureFma(
  engine: Engine,
  now: () => number = () => performance.now(),
): Promise<Peak> {
  return engine.scope(async () => {
    const x = engine.tensor(fmaLanes(engine));
    const peaks: Peak[] = [];
    for (const [variant, kernel] of Object.entries(FMA_KERNELS)) {
      const run = (): void => {
        for (const y of engine.run(fmaProbe, [x], fmaProbe.defaults, variant)) y.dispose();
      };
      const ms = await timed(engine, run, now);
      peaks.push({ variant, rate: (x.size * FMA_STEPS * fmaFlops(kernel)) / (ms * 1e6) });
    }
    return best(peaks);
  });
}

/** One value per lane; the first two are m and n: a·m + n converges to 1, so nothing overflows. */
function fmaLanes({ caps }: Engine): Float32Array {
  const values = new Float32Array(FMA_LANES[caps.adapterClass]);
  values.set([0.999, 0.001]);
  return values;
}

/** Steps come in eights, which every kernel's turns divide. */
const STEP_GRAIN = 8;

/**
 * As many multiply-adds as `flops` operations are, to a few thousandths for works of 200 million and
 * more, by the kernel that is fastest now: run it in turns with such a work to know its share of the peak.
 */
export async function fmaWork(engine: Engine, flops: number): Promise<() => void> {
  const { variant } = await measureFma(engine);
  const x = engine.tensor(fmaLanes(engine));
  const perStep = x.size * fmaFlops(FMA_KERNELS[variant as keyof typeof FMA_KERNELS]); // from its keys
  const steps = STEP_GRAIN * Math.max(1, Math.round(flops / perStep / STEP_GRAIN));
  return () => {
    for (const y of engine.run(fmaProbe, [x], { steps }, variant)) y.dispose();
  };
}

const best = (peaks: readonly Peak[]): Peak => peaks.reduce((a, b) => (b.rate > a.rate ? b : a));

/** Milliseconds of one run: the median of a few rounds, each of as many runs as fill ROUND_MS. */
async function timed(engine: Engine, run: () => void, now: () => number): Promise<number> {
  const round = async (runs: number): Promise<number> => {
    const start = now();
    for (let k = 0; k < runs; k++) run();
    await engine.finish();
    return now() - start;
  };
  await round(1); // compiles
  let runs = 1;
  while ((await round(runs)) < ROUND_MS) runs *= 2;
  const times: number[] = [];
  for (let k = 0; k < ROUNDS; k++) times.push((await round(runs)) / runs);
  return at(
    times.sort((a, b) => a - b),
    ROUNDS >> 1,
  );
}
