/** What Gram measures of a network's tokens: row sums of their Gram matrices, and the ranges these span. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import type { ImageModel } from "./imageModel.ts";
import { numberTensor } from "./numberTensor.ts";

const TINY = 1e-30; // stands for the scale of tokens that are all zero

/** sign(x) |x|^(1/p). */
function signedRoot(engine: Engine, x: Tensor, p: number): Tensor {
  const { ops } = engine;
  if (p === 1) return x;
  const zero = numberTensor(engine, 0);
  const size = ops.maximum(ops.abs(x), numberTensor(engine, TINY));
  const root = ops.pow(size, numberTensor(engine, 1 / p));
  const sign = ops.sub(ops.greater(x, zero), ops.greater(zero, x));
  return ops.mul(sign, root);
}

/**
 * Row sums of the Gram matrices of orders 1 … P of tokens [B, T, D]: Σ_j (Fᵖ)ᵀFᵖ, i.e. Σ_t f_td^p Σ_j
 * f_tj^p, then its p-th root: [B, P · D]. No D × D matrix is made. Tokens are divided by their largest
 * first, so that high powers stay within f32.
 */
function gramSums(engine: Engine, tokens: Tensor, powers: number): Tensor {
  const { ops } = engine;
  const largest = ops.max(ops.abs(tokens), { axes: [1, 2], keepDims: true });
  const scale = ops.maximum(largest, numberTensor(engine, TINY)); // [B, 1, 1]
  const unit = ops.div(tokens, scale);
  const square = ops.reshape(ops.square(scale), { shape: [at(tokens.shape, 0), 1] });
  let power = unit;
  let sums: Tensor | null = null;
  for (let p = 1; p <= powers; p++) {
    if (p > 1) power = ops.mul(power, unit);
    const totals = ops.sum(power, { axes: [2], keepDims: true }); // [B, T, 1]
    const rows = ops.sum(ops.mul(power, totals), { axes: [1] }); // [B, D]
    const root = ops.mul(signedRoot(engine, rows, p), square);
    sums = sums ? ops.concat(sums, root, { axis: 1 }) : root;
  }
  if (!sums) throw new RangeError("there is at least one power");
  return sums;
}

/** The sums of every block for the images of a pass. */
export function blockSums(
  engine: Engine,
  model: ImageModel,
  x: Tensor,
  powers: number,
): { readonly sums: readonly Tensor[]; readonly logits: Tensor } {
  const sums: Tensor[] = [];
  const { logits } = model.forward(x, (tokens) => {
    sums.push(gramSums(engine, tokens, powers));
    return tokens;
  });
  return { sums, logits };
}

/** Smallest and largest sum by predicted class, of one block's tokens: [C, P · D] each. */
export class GramRanges {
  readonly low: Float32Array;
  readonly high: Float32Array;
  private readonly width: number;

  /** @param width - P · D. */
  constructor(classes: number, width: number) {
    this.low = new Float32Array(classes * width).fill(Infinity);
    this.high = new Float32Array(classes * width).fill(-Infinity);
    this.width = width;
  }

  /** Widens the ranges of the classes that the images of a pass are predicted as. */
  add(sums: Float32Array, predicted: Int32Array): void {
    const { low, high, width } = this;
    for (const [row, label] of predicted.entries())
      for (let column = 0; column < width; column++) {
        const value = at(sums, row * width + column);
        const place = label * width + column;
        if (value < at(low, place)) low[place] = value;
        if (value > at(high, place)) high[place] = value;
      }
  }

  /** Classes that were never predicted get the range of all. */
  fillEmpty(): void {
    const { low, high, width } = this;
    for (let column = 0; column < width; column++) {
      let [smallest, largest] = [Infinity, -Infinity];
      for (let place = column; place < low.length; place += width) {
        smallest = Math.min(smallest, at(low, place));
        largest = Math.max(largest, at(high, place));
      }
      for (let place = column; place < low.length; place += width)
        if (at(low, place) > at(high, place)) [low[place], high[place]] = [smallest, largest];
    }
  }
}
