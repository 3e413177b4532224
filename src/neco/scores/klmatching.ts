/** KL-Matching: divergence of the softmax from the nearest class's mean softmax. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, matrixArray, stateArray } from "../arrays.ts";
import { numberTensor } from "../numberTensor.ts";
import type { Block } from "../block.ts";
import { addTo, groupSums } from "../groups.ts";
import { relativeLogits } from "../logits.ts";
import type { RelativeLogits } from "../logits.ts";
import type { Calibration, FitContext, Score, ScoreState } from "../score.ts";

/** log p from 0 down to −320 in windows of 80, each within f32's exponents after a shift. */
const WINDOW = 80;
const WINDOWS = 4;
/** Stands for the logarithm of what no window caught, and of classes that were never predicted. */
const NOTHING = -1e4;
/** Ratios nearer to 1 than this are taken by their series: the direct form cancels. */
const SMALL = 0.05;
/** Where 1 − p is less than this share of 1 − d. */
const SURER = 0.1;

/** The logarithms of a block's probabilities. */
interface LogSoftmax extends RelativeLogits {
  readonly logP: Tensor; // [B, C], exact near 0, where confident samples differ
  readonly logTotals: Float64Array; // −log p of the predicted class
}

async function logSoftmax(engine: Engine, block: Block): Promise<LogSoftmax> {
  const relative = relativeLogits(engine, block.needLogits());
  const { logOthers } = await block.logitStats();
  const logTotals = logOthers.map((logSum) => Math.log1p(Math.exp(logSum)));
  const total = engine.tensor(Float32Array.from(logTotals), [block.rows, 1]);
  return { ...relative, logP: engine.ops.sub(relative.below, total), logTotals };
}

/** Σ over samples predicted as each class of p, in windows of log p: float64 sums of [C, C] each. */
function calibrate({ engine }: FitContext): Calibration {
  let classes = 0;
  let counts = new Float64Array();
  const sums: Float64Array[] = [];
  return {
    async observe(block) {
      const { ops } = engine;
      if (classes === 0) {
        classes = at(block.needLogits().shape, 1);
        counts = new Float64Array(classes);
        for (let w = 0; w < WINDOWS; w++) sums.push(new Float64Array(classes * classes));
      }
      const { predicted } = await block.logitStats();
      for (const label of predicted) counts[label] = at(counts, label) + 1;
      const { logP } = await logSoftmax(engine, block);
      const least = await ops.min(logP).item();
      const edges = [numberTensor(engine, -WINDOW), numberTensor(engine, 0)] as const;
      for (const [w, sum] of sums.entries()) {
        if (w > 0 && least > -w * WINDOW) break; // nothing lies that low
        const found = await engine.scope(() => {
          const shifted = ops.affine(logP, { scale: 1, shift: w * WINDOW });
          const isInside = ops.mul(
            ops.greater(shifted, edges[0]),
            w === 0 ? ops.greaterEqual(edges[1], shifted) : ops.greater(edges[1], shifted),
          );
          const inside = ops.mul(isInside, ops.exp(ops.minimum(shifted, edges[1])));
          return groupSums(engine, inside, predicted, classes);
        });
        addTo(sum, found);
      }
    },
    finish: () => Promise.resolve(stateOf(classes, counts, sums)),
  };
}

/** log of Σ_w e^(−80 w) S_w / n. */
function logMean(parts: readonly number[], count: number): number {
  const logs = parts.map((part, w) => Math.log(part / count) - w * WINDOW);
  const largest = Math.max(...logs);
  if (largest === -Infinity) return NOTHING;
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
}

function stateOf(classes: number, counts: Float64Array, sums: readonly Float64Array[]): ScoreState {
  const logs = Float64Array.from({ length: classes * classes }, (_, index) =>
    logMean(
      sums.map((sum) => at(sum, index)),
      Math.max(1, at(counts, Math.floor(index / classes))),
    ),
  );
  const empty = counts.reduce((total, count) => total + (count === 0 ? 1 : 0), 0);
  for (const [c, count] of counts.entries()) {
    if (count === 0) continue;
    const row = logs.subarray(c * classes, (c + 1) * classes);
    const peak = row.indexOf(Math.max(...row));
    // log d near 0 from what the others leave: log1p(−Σ) has the digits that the sum near 1 lost.
    const others = row.reduce((sum, log, k) => sum + (k === peak ? 0 : Math.exp(log)), 0);
    row[peak] = Math.log1p(-others);
  }
  return {
    arrays: { log_means: matrixArray(logs, classes, classes) },
    params: { classes_never_predicted: empty },
    warnings: [],
  };
}

/** p (e^(−r) − 1 + r) with r = log p − log d: one class's part of the divergence, never negative. */
function topTerm(logP: number, logD: number): number {
  const r = logP - logD;
  const excess = Math.abs(r) < 1e-4 ? (r * r) / 2 - (r * r * r) / 6 : Math.expm1(-r) + r;
  return Math.exp(logP) * excess;
}

/** The same for all other classes, summed, times e^shift: on the GPU. */
function otherTerms(
  engine: Engine,
  { logP, isOther }: LogSoftmax,
  logD: Tensor,
): { readonly sum: Tensor; readonly shift: Tensor } {
  const { ops } = engine;
  const larger = ops.where(isOther, ops.maximum(logP, logD), numberTensor(engine, NOTHING));
  const shift = ops.neg(ops.max(larger, { axes: [1], keepDims: true })); // [B, 1]
  const zero = numberTensor(engine, 0);
  const scaled = (log: Tensor): Tensor => ops.exp(ops.minimum(ops.add(log, shift), zero));
  const p = scaled(logP);
  const r = ops.sub(logP, logD);
  const direct = ops.add(ops.sub(scaled(logD), p), ops.mul(p, r));
  // r²/2 − r³/6 + r⁴/24
  const inner = ops.affine(ops.mul(r, ops.affine(r, { scale: 1 / 24, shift: -1 / 6 })), {
    scale: 1,
    shift: 1 / 2,
  });
  const series = ops.mul(p, ops.mul(ops.square(r), inner));
  const isSmall = ops.greater(numberTensor(engine, SMALL), ops.abs(r));
  const terms = ops.mul(isOther, ops.where(isSmall, series, direct));
  return { sum: ops.sum(terms, { axes: [1] }), shift };
}

/** Σ p (log(p/d) − 1) over the other classes, without the factor e^gap/(1 + S) of p: on the GPU. */
function leanTerms({ ops }: Engine, { logP, belowSecond, isOther }: LogSoftmax, logD: Tensor) {
  const factors = ops.affine(ops.sub(logP, logD), { scale: 1, shift: -1 });
  return ops.sum(ops.mul(ops.mul(isOther, ops.exp(belowSecond)), factors), { axes: [1] });
}

/**
 * −min_c Σ_k p_k log(p_k/d_ck), d_c the mean softmax of the training samples predicted as c; a class
 * that was never predicted is at infinity. Hendrycks et al., 2022. As Σ (p − d) = 0, the sum is taken
 * as Σ p (d/p − 1 − log(d/p)), whose terms do not cancel. Samples far surer than their class's mean
 * differ by less than f32 resolves of the others' Σ d: for them it is added on the host, from d_top.
 */
export const klmatching: Score = {
  name: "klmatching",
  aliases: ["klm", "kl-matching"],
  title: "KL-Matching",
  needs: ["features", "logits"],
  fit: (context) => Promise.resolve(calibrate(context)),
  bind(engine, state) {
    const logMeans = arrayTensor(engine, stateArray(state, "log_means")); // [C, C]
    return {
      async score(block) {
        const { ops } = engine;
        const own = await logSoftmax(engine, block);
        const { logP, isOther, logTotals } = own;
        const across = { transposeB: true } as const;
        const nearness = ops.matmul(ops.exp(logP), logMeans, null, across); // Σ p log d: [B, C]
        const logD = ops.gather(logMeans, ops.argmax(nearness)); // [B, C]
        const { sum, shift } = engine.scope(() => otherTerms(engine, own, logD));
        const isPredicted = ops.affine(isOther, { scale: -1, shift: 1 });
        const tops = await ops.sum(ops.mul(isPredicted, logD), { axes: [1] }).floats();
        const [sums, shifts] = [await sum.floats(), await shift.floats()];
        const leans = await leanTerms(engine, own, logD).floats();
        const gaps = await own.gap.floats();
        return logTotals.map((logTotal, row) => {
          const top = topTerm(-logTotal, at(tops, row));
          const restOfMean = -Math.expm1(at(tops, row));
          return -Math.expm1(-logTotal) < SURER * restOfMean
            ? -(top + restOfMean) - Math.exp(at(gaps, row) - logTotal) * at(leans, row)
            : -top - Math.exp(-at(shifts, row)) * at(sums, row);
        });
      },
      dispose: () => {
        logMeans.dispose();
      },
    };
  },
};
