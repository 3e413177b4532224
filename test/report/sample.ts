/** A made-up run with every part that a report can show; numbers follow no model. */
import {
  distributionsOf,
  type MethodResult,
  type OodMetrics,
  type ReportInput,
  type ScoreColumns,
  type SetResult,
} from "../../src/report/index.ts";

const SETS = ["digits-8-9", "fashion", "patches", "icons", "noise"];
const METHODS = ["msp", "maxlogit", "energy", "vim", "neco", "neco-nologit", "mahalanobis"];

/** Repeatable uniform numbers in [0, 1) (mulberry32). */
export function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const next = uniforms(7);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

const metrics = (quality: number): OodMetrics => ({
  auroc: quality,
  fpr_at_95_id_tpr: 1 - quality,
  fpr_at_95_ood_tpr: (1 - quality) / 2,
  aupr_in: quality - 0.01,
  aupr_out: quality - 0.02,
});

function method(index: number): MethodResult {
  const sets = SETS.map((name, set): [string, SetResult] => [
    name,
    {
      ...metrics(0.9 + 0.012 * index - 0.02 * (set === 0 ? 3 : 0)),
      n: 300 + set,
      selective: { aurc: 0.2, eaurc: 0.0125 },
      ...(name === "icons" ? { intervals: { auroc: [0.871, 0.9952] as const } } : {}),
    },
  ]);
  return {
    params: METHODS[index] === "neco" ? { d: 12, mode: "official" } : {},
    sets: Object.fromEntries(sets),
    near: metrics(0.84 + 0.012 * index),
    far: metrics(0.9 + 0.012 * index),
    average: metrics(0.885 + 0.012 * index),
    selective: { aurc: 0.0042, eaurc: 0.0031 },
  };
}

const scores: ScoreColumns = Object.fromEntries(
  ["neco", "maxlogit"].flatMap((name): [string, number[]][] => [
    [`${name}/id`, Array.from({ length: 900 }, () => 3 + normal())],
    ...SETS.map((set, index): [string, number[]] => [
      `${name}/${set}`,
      Array.from({ length: 300 }, () => 0.5 * index + normal()),
    ]),
  ]),
);

const NC2 = {
  equinorm_means: 0.3,
  equinorm_weights: 0.1,
  equiangularity_means: 0.4,
  equiangularity_weights: 0.2,
};

const ncAt = (step: number, accuracy: number): ReportInput["nc"] & object => ({
  schema: "neco-webgpu/nc@1",
  nc1: 40 / (step + 1),
  nc1_trace: 320 / (step + 1),
  nc2: {
    equinorm_means: 0.2 / (1 + step / 100),
    equinorm_weights: 0.1,
    equiangularity_means: 0.3 / (1 + step / 100),
    equiangularity_weights: 0.2,
  },
  nc3: 0.9 / (1 + step / 200),
  nc4: step > 300 ? 0 : 0.02,
  nc5: { "digits-8-9": 0.4, fashion: 0.2 / (1 + step / 100) },
  with_ood: { fashion: { nc1: 50 / (step + 1), nc2: NC2 } },
  ood_only: { fashion: { nc1: 60 } },
  accuracy,
  mse: { weight_decay: 5e-4, lnc1: 3e-3, lnc2_3: 4e-4, l_perp: 2 / (step + 1), loss: 0.1 },
});

const STEPS = [0, 100, 200, 400, 800];

/** The made-up run. */
export const sample: ReportInput = {
  title: 'NECO on 8 of 10 digits <"demo">',
  generated: "2026-01-02T03:04:05Z",
  version: "0.1.0",
  config: {
    schema: "neco-webgpu/run@1",
    version: "0.1.0",
    created: "2026-01-02T03:00:00Z",
    adapter: { description: "llvmpipe (LLVM 19.1.7, 256 bits)", kind: "lavapipe" },
    versions: { node: "v20.19.0", webgpu: "0.6.2" },
    dataset: {
      spec: "mnist-10k:0-7",
      name: "mnist-10k",
      title: "MNIST, 10,000 digits",
      credit: "LeCun, Cortes, Burges; CC BY-SA 3.0",
      hash: "ab".repeat(32),
      classes: ["0", "1", "2", "3", "4", "5", "6", "7"],
      counts: { train: 6400, val: 400, test: 1200 },
    },
    model: { name: "tiny-28", width: 64, depth: 4 },
    recipe: { optimizer: "adamw", augmentation: { crop: 2, rotate: 10 } },
    seed: 17,
  },
  metrics: [
    ...Array.from({ length: 900 }, (_, step) => ({
      type: "train" as const,
      step,
      loss: 2.3 * Math.exp(-step / 200) + 0.02 * next(),
      learning_rate: 1e-3,
    })),
    ...STEPS.map((step) => ({
      type: "eval" as const,
      step,
      split: "val" as const,
      loss: 2.3 * Math.exp(-step / 150) + 0.05,
      accuracy: 1 - 0.9 * Math.exp(-step / 100),
      n: 400,
    })),
  ],
  ood: {
    schema: "neco-webgpu/ood@1",
    adapter: "llvmpipe (LLVM 19.1.7, 256 bits)",
    config: { preset: "neco", neco_dim: "auto" },
    id: {
      n: 1200,
      accuracy: 0.9625,
      ece: 0.0123,
      ece_adaptive: 0.0111,
      reliability: Array.from({ length: 15 }, (_, bin) =>
        bin < 5
          ? { n: 0, confidence: null, accuracy: null }
          : { n: 120, confidence: (bin + 0.6) / 15, accuracy: (bin + 0.4) / 15 },
      ),
      risk_coverage: {
        coverage: [0.25, 0.5, 0.75, 1],
        risk: { neco: [0, 0.001, 0.01, 0.0375], msp: [0, 0.002, 0.012, 0.0375] },
      },
    },
    results: Object.fromEntries(METHODS.map((name, index) => [name, method(index)])),
    skipped: { odin: "needs image gradients" },
  },
  groups: {
    "digits-8-9": "near",
    fashion: "far",
    patches: "far",
    icons: "far",
    noise: "control",
  },
  distributions: distributionsOf(scores),
  sweep: {
    schema: "neco-webgpu/sweep@1",
    seen_test_ood: true,
    chosen: 12,
    d: [1, 2, 4, 8, 16, 32, 63],
    sets: {
      fashion: {
        auroc: [0.7, 0.8, 0.9, 0.95, 0.96, 0.95, 0.94],
        fpr_at_95_id_tpr: [0.6, 0.5, 0.3, 0.2, 0.1, 0.12, 0.14],
      },
    },
  },
  nc: {
    ...ncAt(800, 0.9985),
    steps: STEPS.map((step) => ({ ...ncAt(step, Math.min(0.9985, 0.2 + step / 900)), step })),
  },
  pca: {
    schema: "neco-webgpu/pca@1",
    explained: [0.31, 0.22],
    classes: ["0", "1", "2", "3", "4", "5", "6", "7"],
    id: {
      x: Array.from({ length: 800 }, (_, i) => 4 * Math.cos((i % 8) * 0.8) + 0.5 * normal()),
      y: Array.from({ length: 800 }, (_, i) => 4 * Math.sin((i % 8) * 0.8) + 0.5 * normal()),
      label: Array.from({ length: 800 }, (_, i) => i % 8),
    },
    ood: {
      fashion: {
        x: Array.from({ length: 300 }, () => 9 * (next() - 0.5)),
        y: Array.from({ length: 300 }, () => 9 * (next() - 0.5)),
      },
    },
  },
  examples: {
    schema: "neco-webgpu/examples@1",
    method: "neco",
    threshold: 3.2,
    examples: [
      {
        image:
          "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
        width: 28,
        height: 28,
        set: "mnist-10k",
        truth: "3",
        predicted: "3",
        probability: 0.998,
        score: 6.1,
        isOod: false,
      },
    ],
  },
  credits: [
    { name: "MNIST", credit: "LeCun, Cortes, Burges; CC BY-SA 3.0", hash: "ab".repeat(32) },
  ],
};

/** The same with nearly everything absent. */
export const bare: ReportInput = {
  ...sample,
  config: null,
  metrics: [],
  ood: null,
  distributions: {},
  sweep: null,
  nc: null,
  pca: null,
  examples: null,
  credits: [],
};
