/** The regularised training loss of features under their head: what the notebook plots beside NC1–NC4. */
import type { Engine } from "../../engine/index.ts";
import type { FeatureSource, Head } from "../../io/index.ts";
import { DataError, UsageError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { sumSquares } from "../arrays.ts";
import { eachBlock, headTensors } from "../block.ts";
import type { Block, PassOptions } from "../block.ts";

/** Cross-entropy, or the squared error summed over classes. */
export type LossKind = "ce" | "mse";

/** What to measure. */
export interface LossOptions {
  readonly kind: LossKind;
  readonly weightDecay: number;
  /** Σ‖θ‖² over all parameters of the network; of the head alone by default. */
  readonly squares?: number;
}

/** mean + ½ · weight decay · Σ‖θ‖². */
export interface RegularisedLoss {
  readonly kind: LossKind;
  readonly weight_decay: number;
  /** Whose parameters the penalty counts. */
  readonly parameters: "head" | "network";
  /** Mean over samples of −log p_y, or of ‖z − e_y‖². */
  readonly mean: number;
  readonly penalty: number;
  readonly total: number;
}

/** −log p_y = log(1 + Σ_others) + (z_max − z_y) of every row: exact near 0, where collapsed classes are. */
async function crossEntropies(engine: Engine, block: Block, isOwn: IsOwn): Promise<number[]> {
  const { ops } = engine;
  const own = await ops.sum(ops.mul(block.needLogits(), isOwn), { axes: [1] }).floats();
  const { largest, logOthers } = await block.logitStats();
  return Array.from(own, (z, row) => {
    const others = Math.log1p(Math.exp(at(logOthers, row)));
    return others + (at(largest, row) - z);
  });
}

/** ‖z − e_y‖² of every row. */
async function squaredErrors(engine: Engine, block: Block, isOwn: IsOwn): Promise<number[]> {
  const { ops } = engine;
  const errors = ops.square(ops.sub(block.needLogits(), isOwn));
  return Array.from(await ops.sum(errors, { axes: [1] }).floats());
}

/** 1 at each row's class: [B, C]. */
type IsOwn = ReturnType<Engine["ops"]["oneHot"]>;

const LOSSES = { ce: crossEntropies, mse: squaredErrors } as const;

/**
 * The loss of all samples, in a pass of its own; sums are float64.
 * @throws DataError without labels.
 * @throws UsageError if the weight decay is negative.
 */
export async function regularisedLoss(
  engine: Engine,
  { features, weights, loss }: { features: FeatureSource; weights: Head; loss: LossOptions },
  pass: PassOptions,
): Promise<RegularisedLoss> {
  const { kind, weightDecay, squares } = loss;
  if (!(weightDecay >= 0))
    throw new UsageError(`the loss's weight decay must be at least 0, not ${weightDecay}`);
  const { labels } = features;
  if (!labels) throw new DataError(`${features.name}: a loss needs class labels`);
  const head = headTensors(engine, weights);
  let [sum, start] = [0, 0];
  await eachBlock(engine, features, { ...pass, head }, async (block) => {
    const classes = at(block.needLogits().shape, 1);
    const own = engine.tensor(labels.slice(start, start + block.rows), [block.rows]);
    const losses = await LOSSES[kind](engine, block, engine.ops.oneHot(own, { classes }));
    for (const value of losses) sum += value;
    start += block.rows;
  });
  for (const tensor of [head.weight, head.bias]) tensor?.dispose();
  const ofHead = sumSquares(weights.weight) + sumSquares(weights.bias ?? new Float32Array());
  const mean = sum / start;
  const penalty = (weightDecay / 2) * (squares ?? ofHead);
  return {
    kind,
    weight_decay: weightDecay,
    parameters: squares === undefined ? "head" : "network",
    mean,
    penalty,
    total: mean + penalty,
  };
}
