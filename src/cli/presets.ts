/** Sizes of the demo, picked by what the adapter can multiply per second. */

/** A size of the demo. */
export interface DemoPreset {
  readonly name: string;
  readonly about: string;
  /** GFLOP/s of fused multiply-adds that it wants. */
  readonly wants: number;
  readonly model: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Evaluations over the run; their checkpoints give the neural-collapse curves. */
  readonly evaluations: number;
  /** Images of an OOD set at most; null for all. */
  readonly oodLimit: number | null;
}

/** From the largest to the smallest; the first that the adapter is fast enough for is taken. */
export const PRESETS: readonly DemoPreset[] = [
  {
    name: "demo-gpu",
    about: "a small ViT with 4-pixel patches, for GPUs",
    wants: 500,
    model: "vit-tiny-28",
    epochs: 40,
    batchSize: 64,
    learningRate: 2e-3,
    evaluations: 6,
    oodLimit: null,
  },
  {
    name: "demo",
    about: "a nano ViT with 7-pixel patches, for lavapipe on a few cores",
    wants: 8,
    model: "vit-nano-28",
    epochs: 24,
    batchSize: 64,
    learningRate: 2e-3,
    evaluations: 6,
    oodLimit: null,
  },
  {
    name: "demo-small",
    about: "the nano ViT, trained and evaluated shorter, for SwiftShader and slow machines",
    wants: 0,
    model: "vit-nano-28",
    epochs: 4,
    batchSize: 32,
    learningRate: 3e-3,
    evaluations: 2,
    oodLimit: 400,
  },
];

/** Names for `--preset`. */
export const presetNames = PRESETS.map(({ name }) => name);

/** The largest preset that an adapter of that rate is fast enough for. */
export function presetFor(gflops: number): DemoPreset {
  const found = PRESETS.find(({ wants }) => gflops >= wants) ?? PRESETS.at(-1);
  if (found === undefined) throw new RangeError("there is no preset");
  return found;
}
