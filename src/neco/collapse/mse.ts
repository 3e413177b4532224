/**
 * The mean squared error split into what the features cost and what the classifier costs (Han, Papyan
 * and Donoho, 2022, "Neural Collapse Under MSE Loss", theorem 1; the Neural Collapse notebook).
 */
import type { Engine } from "../../engine/index.ts";
import { MomentAccumulator, solveRows } from "../../linalg/index.ts";
import { at } from "../../util/shape.ts";
import { dot, sumSquares } from "../arrays.ts";
import { eachBlock } from "../block.ts";
import type { PassOptions } from "../block.ts";
import { meanRow, rowOf } from "./geometry.ts";
import type { Rows } from "./geometry.ts";
import type { Group } from "./variability.ts";

/** Parts of ½(MSE + λ(‖W‖² + ‖b‖²)), λ = weight decay / 2; with equal classes they add up to it. */
export interface MseDecomposition {
  readonly weight_decay: number;
  /** What features within a class cost the best classifier for them. */
  readonly lnc1: number;
  /** How far the class means are from letting it answer with one-hot vectors. */
  readonly lnc2_3: number;
  /** What the classifier is from the best one. */
  readonly l_perp: number;
  /** ½(MSE + λ(‖W‖² + ‖b‖²)) itself; MSE is the mean over samples of ‖W h + b − e_y‖². */
  readonly loss: number;
}

/** A classifier's rows and biases, of the classes that occur. */
export interface Classifier {
  readonly weights: Rows;
  readonly bias: Float64Array;
}

/** What {@link mseDecomposition} takes. */
export interface MseInput {
  readonly own: Group;
  readonly means: Rows;
  /** Samples of each class: [C]. */
  readonly counts: Float64Array;
  readonly classifier: Classifier;
  readonly weightDecay: number;
}

/** Σ_W: [D · D]. Rows are taken about their class means, so that no digits cancel. */
async function withinScatter(
  engine: Engine,
  { source, classes }: Group,
  means: Rows,
  pass: PassOptions,
): Promise<Float64Array> {
  const { ops } = engine;
  const moments = new MomentAccumulator(engine, means.dim);
  const centres = engine.tensor(Float32Array.from(means.values), [means.rows, means.dim]);
  let start = 0;
  try {
    await eachBlock(engine, source, { ...pass, featuresOnly: true }, async (block) => {
      const own = engine.tensor(classes.slice(start, start + block.rows), [block.rows]);
      await moments.add(ops.sub(block.features, ops.gather(centres, own)));
      start += block.rows;
    });
  } finally {
    centres.dispose();
  }
  return moments.finish().covariance;
}

/** x S xᵀ of every row x, added up; S [D · D] symmetric. */
function quadratic(rows: Rows, s: Float64Array): number {
  let total = 0;
  for (let row = 0; row < rows.rows; row++) {
    const x = rowOf(rows, row);
    for (let i = 0; i < rows.dim; i++)
      total += at(x, i) * dot(x, s.subarray(i * rows.dim, (i + 1) * rows.dim));
  }
  return total;
}

/** S + scale · M Mᵀ for vectors m, the rows of M. */
function plusOuter(s: Float64Array, { values, rows, dim }: Rows, scale: number): Float64Array {
  const sum = s.slice();
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < dim; i++) {
      const factor = scale * at(values, row * dim + i);
      for (let j = 0; j < dim; j++)
        sum[i * dim + j] = at(sum, i * dim + j) + factor * at(values, row * dim + j);
    }
  return sum;
}

/** W_LS and b_LS, the classifier of least regularised squared error for these features. */
function bestClassifier(means: Rows, total: Float64Array, lambda: number): Classifier {
  const { rows: classes, dim } = means;
  const centre = meanRow(means);
  const one: Rows = { values: centre, rows: 1, dim };
  const a = plusOuter(total, one, lambda / (1 + lambda));
  for (let i = 0; i < dim; i++) a[i * dim + i] = at(a, i * dim + i) + lambda;
  const targets = means.values.map(
    (value, index) => (value - at(centre, index % dim) / (1 + lambda)) / classes,
  );
  const weights = { values: solveRows(a, targets, dim), rows: classes, dim };
  const bias = Float64Array.from(
    { length: classes },
    (_, row) => (1 / classes - dot(rowOf(weights, row), centre)) / (1 + lambda),
  );
  return { weights, bias };
}

/** ‖W μ_c + b − e_c‖² of every class. */
const meanErrors = ({ weights, bias }: Classifier, means: Rows): Float64Array =>
  Float64Array.from({ length: means.rows }, (_, c) => {
    const mean = rowOf(means, c);
    const errors = bias.map((b, row) => dot(rowOf(weights, row), mean) + b - (row === c ? 1 : 0));
    return sumSquares(errors);
  });

/** ½ Tr(Δ Ā Δᵀ), Δ = [W − W_LS, b − b_LS] and Ā the second moments of [h, 1] with λ on the diagonal. */
function distance(
  { weights, bias }: Classifier,
  best: Classifier,
  { total, centre, lambda }: { total: Float64Array; centre: Float64Array; lambda: number },
): number {
  const values = weights.values.map((value, index) => value - at(best.weights.values, index));
  const apart: Rows = { ...weights, values };
  const shift = bias.map((value, row) => value - at(best.bias, row));
  let sum = quadratic(apart, total) + lambda * sumSquares(values) + lambda * sumSquares(shift);
  // (Δ_w·μ + Δ_b)² holds the terms of μμᵀ, μ and 1.
  shift.forEach((value, row) => (sum += (dot(rowOf(apart, row), centre) + value) ** 2));
  return sum / 2;
}

/** The decomposition under a weight decay; one pass over the features, O(D³ + C·D²) on the host. */
export async function mseDecomposition(
  engine: Engine,
  { own, means, counts, classifier, weightDecay }: MseInput,
  pass: PassOptions = {},
): Promise<MseDecomposition> {
  const lambda = weightDecay / 2;
  const within = await withinScatter(engine, own, means, pass);
  const centre = meanRow(means);
  const spread: Rows = {
    ...means,
    values: means.values.map((value, index) => value - at(centre, index % means.dim)),
  };
  const total = plusOuter(within, spread, 1 / means.rows);
  const best = bestClassifier(means, total, lambda);
  const { weights, bias } = classifier;
  const samples = counts.reduce((sum, count) => sum + count, 0);
  const between = meanErrors(classifier, means).reduce(
    (sum, error, c) => sum + (error * at(counts, c)) / samples,
    0,
  );
  const penalty = ({ weights: w, bias: b }: Classifier): number =>
    lambda * (sumSquares(w.values) + sumSquares(b));
  const bestErrors = meanErrors(best, means).reduce((sum, error) => sum + error, 0);
  return {
    weight_decay: weightDecay,
    lnc1: (quadratic(best.weights, within) + penalty(best)) / 2,
    lnc2_3: bestErrors / (2 * means.rows),
    l_perp: distance({ weights, bias }, best, { total, centre, lambda }),
    loss: (quadratic(weights, within) + between + penalty(classifier)) / 2,
  };
}
