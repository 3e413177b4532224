/** Rows of whole Vision Transformers: training steps and inference. */
import { ParamSet, program } from "../../src/engine/index.ts";
import type { Engine, ProgramStats, Tensor } from "../../src/engine/index.ts";
import { ViT } from "../../src/vit/index.ts";
import type { Caps } from "../../src/kernels/op.ts";
import type { Precision, ViTConfig } from "../../src/vit/index.ts";
import { PROGRAM_MODES, vitStep } from "../vit-step.ts";
import type { StepMode, TrainingStep } from "../vit-step.ts";
import {
  SMALL_VIT,
  SMALL_VIT_BATCH,
  SMALL_VIT_LOSSES,
  VIT_B,
  VIT_S,
  VIT_S_BATCH,
  VIT_S_GPU_BATCH,
  VIT_S_LOSSES,
  vitFlops,
  workloadBatch,
  workloadParams,
} from "../workloads.ts";
import type { Prepared, Row } from "./row.ts";

/** A model and a batch of it. */
interface Workload {
  readonly name: string;
  readonly config: ViTConfig;
  readonly batchSize: number;
  /** Of the operands of products; f32 unless told. */
  readonly precision?: Precision;
  /** Known losses of the first steps. */
  readonly losses?: readonly number[];
}

const shapeOf = ({ config, batchSize }: Workload): string =>
  `[${batchSize}, ${config.imageSize}, ${config.imageSize}, ${config.channels}]`;

/** In f32, of five decimals as the peers print them; in f16, of operands rounded to 11 bits. */
const LOSS_TOLERANCE = { f32: 2e-5, f16: 5e-4 } as const;

/** Reads the loss of each step as long as losses are known. */
class LossCheck {
  readonly seen: number[] = [];
  private readonly expected: readonly number[];
  private readonly tolerance: number;

  constructor({ losses = [], precision = "f32" }: Workload) {
    this.expected = losses;
    this.tolerance = LOSS_TOLERANCE[precision];
  }

  /** @throws RangeError if a loss is not the known one. */
  async add(loss: Tensor): Promise<void> {
    const value = await loss.item();
    const known = this.expected[this.seen.length];
    this.seen.push(value);
    if (known !== undefined && !(Math.abs(value - known) <= this.tolerance))
      throw new RangeError(`loss ${value} is not ${known}: the step is wrong`);
    if (!Number.isFinite(value)) throw new RangeError(`loss ${value}: the step is wrong`);
  }
}

/** Bytes that a step cannot do without: its state, and the values alive at the fullest moment. */
function needed({ state, stats }: TrainingStep): Record<string, number> | null {
  const program = stats();
  if (!program) return null;
  const bytes = (tensors: readonly Tensor[]): number =>
    tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return {
    weights: bytes(state.params.arenas),
    gradients: bytes(state.grads),
    optimizer: bytes(state.moments.flat()),
    live_values: program.liveBytes,
  };
}

function stepRow(workload: Workload, mode: StepMode): Row {
  const { config, batchSize, losses = [], precision = "f32" } = workload;
  return {
    name: `${workload.name}-step`,
    shape: shapeOf(workload),
    variant: precision === "f16" ? `${mode} f16` : mode,
    dtype: precision,
    kind: "workload",
    picked: mode === "program" && precision === "f32",
    prepare(engine) {
      const step = vitStep(engine, workload, mode);
      const check = new LossCheck(workload);
      let last: Tensor | null = null;
      const run = async (): Promise<Tensor> => {
        if (mode === "eager") last?.dispose(); // a program's outputs are its own memory
        last = await step.run();
        return last;
      };
      return {
        run,
        async afterFirst() {
          if (last) await check.add(last);
          for (let k = 1; k < losses.length; k++) await check.add(await run());
        },
        cost: () => ({ flops: 3 * vitFlops(config, batchSize), bytes: step.stats()?.bytes ?? 0 }),
        facts: () => ({ losses: check.seen, program: step.stats(), needed_bytes: needed(step) }),
        ...(mode === "eager" ? {} : { profile: step.profile }),
      };
    },
  };
}

/** Inference as a program, or op by op: the same model on the same batch. */
function inference(
  engine: Engine,
  { config, batchSize }: Workload,
  mode: StepMode,
): Pick<Prepared, "run" | "profile"> & { stats: () => ProgramStats | null } {
  const params = new ParamSet(engine, workloadParams(config));
  const { patches, shape } = workloadBatch(config, batchSize);
  const logits = (input: Tensor): Tensor =>
    new ViT(engine.ops, config, params).encode(input).logits;
  if (mode === "eager") {
    const input = engine.tensor(patches, shape);
    const run = (): undefined => {
      engine.scope(() => {
        logits(input);
      });
    };
    return { run, stats: () => null };
  }
  const forward = program(
    engine,
    (inputs: { patches: Tensor }) => logits(inputs.patches),
    PROGRAM_MODES[mode],
  );
  return {
    run: () => forward.run({ patches: { values: patches, shape } }),
    stats: () => forward.stats,
    profile: () => forward.profile(),
  };
}

const inferenceRow = (workload: Workload, mode: StepMode): Row => ({
  name: `${workload.name}-infer`,
  shape: shapeOf(workload),
  variant: mode,
  kind: "workload",
  picked: mode === "program",
  prepare(engine) {
    const { stats, ...work } = inference(engine, workload, mode);
    const flops = vitFlops(workload.config, workload.batchSize);
    return {
      ...work,
      cost: () => ({ flops, bytes: stats()?.bytes ?? 0 }),
      facts: () => ({ program: stats() }),
    };
  },
});

const small: Workload = {
  name: "small-vit",
  config: SMALL_VIT,
  batchSize: SMALL_VIT_BATCH,
  losses: SMALL_VIT_LOSSES,
};
const vitS: Workload = { name: "vit-s16", config: VIT_S, batchSize: VIT_S_BATCH };
const vitB: Workload = { name: "vit-b16", config: VIT_B, batchSize: 1 };
/** What keeps a GPU busy takes software adapters minutes. */
const vitSOfGpus: Workload = { ...vitS, batchSize: VIT_S_GPU_BATCH, losses: VIT_S_LOSSES };
const vitBOfGpus: Workload = { ...vitB, batchSize: 32 };

/** Training steps and inference; the small ViT's also without each thing that programs do. */
export const vitRows = ({ features, adapterClass }: Caps): readonly Row[] => [
  stepRow(small, "program"),
  ...(features.has("shader-f16") ? [stepRow({ ...small, precision: "f16" }, "program")] : []),
  ...(["unfused", "unplanned", "recompute", "eager"] as const).map((mode) => stepRow(small, mode)),
  ...(["program", "unfused", "unplanned", "eager"] as const).map((mode) =>
    inferenceRow(small, mode),
  ),
  stepRow(vitS, "program"),
  inferenceRow(vitB, "program"),
  ...(adapterClass === "gpu"
    ? [
        stepRow(vitSOfGpus, "program"),
        ...(features.has("shader-f16")
          ? [stepRow({ ...vitSOfGpus, precision: "f16" }, "program")]
          : []),
        inferenceRow(vitBOfGpus, "program"),
      ]
    : []),
];
