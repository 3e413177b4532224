/** The largest activations of each sample: what ASH and SCALE keep, on the GPU. */
import { numberTensor } from "./numberTensor.ts";
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import type { Block } from "./block.ts";

/** e^20 times a feature is far from f32's limits; signed features can bring the ratio anywhere. */
export const MAX_EXPONENT = 20;

/** How many of `width` activations stay when a percentage is pruned, half rounded to even as numpy does. */
export function keptCount(width: number, percentile: number): number {
  const exact = (width * percentile) / 100;
  const low = Math.floor(exact);
  const isUp = exact - low > 0.5 || (exact - low === 0.5 && low % 2 === 1);
  return Math.max(1, width - (low + (isUp ? 1 : 0)));
}

/** The k largest of each row. */
export interface TopElements {
  /** 1 for kept, 0 for the others; equals of the smallest kept share what is left to keep. [B, D] */
  readonly weights: Tensor;
  /** Unsorted: [B, k]. */
  readonly top: Tensor;
}

/** The k largest elements of each row of x [B, D]. */
export function topElements({ ops }: Engine, x: Tensor, kept: number): TopElements {
  const perRow = { axes: [1], keepDims: true } as const;
  const top = ops.topk(x, { k: kept }); // [B, kept]
  const threshold = ops.min(top, perRow);
  const above = ops.greater(x, threshold);
  const equals = ops.equal(x, threshold);
  const left = ops.affine(ops.sum(above, perRow), { scale: -1, shift: kept });
  const fraction = ops.div(left, ops.sum(equals, perRow));
  return { weights: ops.add(above, ops.mul(equals, fraction)), top };
}

/** The kept activations of a block. */
export interface TopShare {
  /** 1 for kept, 0 for pruned; equals of the smallest kept share what is left to keep. [B, D] */
  readonly weights: Tensor;
  /** Σ of all activations: [B, 1]. */
  readonly total: Tensor;
  /** Σ of the kept ones: [B, 1]. */
  readonly keptTotal: Tensor;
  readonly kept: number;
}

/** The activations that are left when the smallest `percentile` percent of a sample are pruned. */
export function topShare(engine: Engine, { features }: Block, percentile: number): TopShare {
  const { ops } = engine;
  const kept = keptCount(at(features.shape, 1), percentile);
  const perRow = { axes: [1], keepDims: true } as const;
  const { weights, top } = topElements(engine, features, kept);
  return {
    weights,
    total: ops.sum(features, perRow),
    keptTotal: ops.sum(top, perRow),
    kept,
  };
}

/** exp(Σ all / Σ kept), the exponent within ±20: [B, 1]. */
export function sharpening(engine: Engine, { total, keptTotal }: TopShare): Tensor {
  const { ops } = engine;
  const limit = numberTensor(engine, MAX_EXPONENT);
  return ops.exp(ops.maximum(ops.minimum(ops.div(total, keptTotal), limit), ops.neg(limit)));
}
