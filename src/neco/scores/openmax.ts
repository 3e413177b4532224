/** OpenMax: probability that a sample is of no class, from how far its logits lie from each class's. */
import type { Engine } from "../../engine/index.ts";
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { stateArray, stateNumber } from "../arrays.ts";
import { numberTensor } from "../numberTensor.ts";
import type { Block } from "../block.ts";
import { rightLabels } from "../groups.ts";
import { CentreSums, LogitDistance } from "../logitDistance.ts";
import { logSumExp, readLogitStats } from "../logits.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { emptyState } from "../score.ts";
import type { Calibration, FitContext, Score, ScoreState } from "../score.ts";
import { fitWeibull, LargestValues, weibullScore } from "../weibull.ts";

const parameters = {
  tail: numeric(20, { min: 2, isInteger: true }),
  alpha: numeric(3, { min: 1, isInteger: true }),
};

const LOWEST = -3e38; // a logit that takes no part
const COLUMNS = 3; // shape, scale, start

async function rightOf({ train }: FitContext, block: Block): Promise<Int32Array> {
  if (!block.labels) throw new DataError(`${train.name}: labels are missing`);
  return rightLabels(block.labels, (await block.logitStats()).predicted);
}

/** First pass: the mean logits of the rightly predicted samples of each class. */
function calibrateMeans(
  context: FitContext,
  options: { tail: number; alpha: number },
): Calibration {
  const { engine, train } = context;
  if (!train.classes) throw new DataError(`${train.name}: labels are missing`);
  const sums = new CentreSums(engine, train.classes);
  return {
    observe: async (block) => sums.add(block, await rightOf(context, block)),
    finish: () => Promise.resolve(calibrateTails(context, { ...options, centres: sums.finish() })),
  };
}

/** Second pass: the largest distances to those means. */
function calibrateTails(
  context: FitContext,
  options: { tail: number; alpha: number; centres: ScoreState["arrays"] },
): Calibration {
  const { tail, alpha, centres } = options;
  const distance = new LogitDistance(context.engine, { ...emptyState, arrays: centres });
  const { classes } = distance;
  const tails = Array.from({ length: classes }, () => new LargestValues(tail));
  return {
    async observe(block) {
      const right = await rightOf(context, block);
      const own = right.map((label) => Math.max(0, label));
      const found = await distance.of(block, own).floats();
      for (const [row, label] of right.entries())
        if (label >= 0) at(tails, label).add(at(found, row));
    },
    finish() {
      distance.dispose();
      return Promise.resolve(stateOf(tails, { centres, tail, alpha: Math.min(alpha, classes) }));
    },
  };
}

function stateOf(
  tails: readonly LargestValues[],
  { centres, ...params }: { centres: ScoreState["arrays"]; tail: number; alpha: number },
): ScoreState {
  const fits = tails.map((tail) => fitWeibull(tail.values()));
  const missing = fits.filter((fit) => fit === null).length;
  const rows = fits.flatMap((fit) => (fit ? [fit.shape, fit.scale, fit.start] : [1, 1, 3e38]));
  return {
    arrays: {
      ...centres,
      tails: { shape: [fits.length, COLUMNS], values: Float32Array.from(rows) },
    },
    params,
    warnings:
      missing > 0
        ? [
            `openmax: ${missing} of ${fits.length} classes have too few rightly predicted training samples for a tail; they are never far`,
          ]
        : [],
  };
}

/** A class among the largest logits of each sample of a block. */
interface Ranked {
  readonly logits: Float32Array;
  readonly classes: Int32Array;
  readonly distances: Float32Array;
}

/** The `alpha` largest logits of each row with their distances, and log Σ exp of the rest. */
async function rankClasses(
  engine: Engine,
  block: Block,
  { distance, alpha }: { readonly distance: LogitDistance; readonly alpha: number },
): Promise<{ readonly ranked: readonly Ranked[]; readonly rest: Float64Array }> {
  const { ops } = engine;
  const all = block.needLogits();
  const lowest = numberTensor(engine, LOWEST);
  const ranked: Ranked[] = [];
  let left = all;
  for (let rank = 0; rank < alpha; rank++) {
    const own = ops.argmax(left);
    const classes = Int32Array.from(await own.data());
    ranked.push({
      logits: await ops.max(left, { axes: [1] }).floats(),
      classes,
      distances: await distance.of(block, classes).floats(),
    });
    left = ops.where(ops.oneHot(own, { classes: at(all.shape, 1) }), lowest, left);
  }
  return { ranked, rest: logSumExp(await readLogitStats(engine, left)) };
}

/** log(e^a + e^b + …). */
function logSum(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** log(1 + e^x), down to the smallest numbers. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/**
 * −log p(unknown): the `alpha` largest logits z_c give up ω_c w_c z_c, w_c the Weibull score of the
 * distance to class c; what they give up, summed, is the logit of the unknown. Bendale and Boult, 2016.
 */
export const openmax: Score = {
  name: "openmax",
  aliases: [],
  title: "OpenMax",
  needs: ["features", "labels", "logits"],
  parameters,
  fit: (context) =>
    Promise.resolve(
      calibrateMeans(context, chooseParameters("openmax", parameters, context.options)),
    ),
  bind(engine, state) {
    const distance = new LogitDistance(engine, state);
    const { values } = stateArray(state, "tails");
    const alpha = stateNumber(state, "alpha");
    const scoreOf = (label: number, far: number): number => {
      const [shape, scale, start] = [0, 1, 2].map((k) => at(values, COLUMNS * label + k));
      return weibullScore({ shape: shape ?? 1, scale: scale ?? 1, start: start ?? 0 }, far);
    };
    return {
      async score(block) {
        const { ranked, rest } = await rankClasses(engine, block, { distance, alpha });
        return rest.map((others, row) => {
          let unknown = 0;
          const kept = ranked.map(({ logits, classes, distances: found }, rank) => {
            const logit = at(logits, row);
            const weight = ((alpha - rank) / alpha) * scoreOf(at(classes, row), at(found, row));
            unknown += weight * logit;
            return logit * (1 - weight);
          });
          return softplus(logSum([...kept, others]) - unknown);
        });
      },
      dispose: () => {
        distance.dispose();
      },
    };
  },
};
