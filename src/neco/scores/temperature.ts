/** Temperature scaling: MSP of logits over the temperature that fits the training labels best. */
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { stateNumber } from "../arrays.ts";
import type { Block } from "../block.ts";
import { addTo } from "../groups.ts";
import { readLogitStats } from "../logits.ts";
import type { Calibration, FitContext, Score, ScoreState } from "../score.ts";

/** Temperatures outside are no calibration: a network that makes no mistakes would get T → 0. */
const RANGE = [0.05, 20] as const;
const POINTS = 15; // slopes of one pass
const PASSES = 4; // each narrows the range 16 times

/** Where the slope of the negative log-likelihood changes its sign, in log T. */
interface Bracket {
  readonly low: number;
  readonly high: number;
}

/**
 * Σ over rows of E_p[z] − z_y at p = softmax(z/T), for each T: falls as T grows where T is too small.
 * Both parts are counted from the largest logit, so that a sure row adds next to nothing to either.
 */
async function slopesAt(
  { engine, train }: FitContext,
  block: Block,
  temperatures: readonly number[],
): Promise<readonly number[]> {
  const { ops } = engine;
  if (!block.labels) throw new DataError(`${train.name}: labels are missing`);
  const logits = block.needLogits();
  const scales = engine.tensor(Float32Array.from(temperatures, (t) => 1 / t));
  const means = await ops.tempered(logits, scales).floats(); // [B, K]
  const classes = at(logits.shape, 1);
  const target = ops.oneHot(engine.tensor(block.labels, [block.rows]), { classes });
  const own = await ops.sum(ops.mul(target, logits), { axes: [1] }).floats();
  const { largest } = await block.logitStats();
  const ownBelow = own.reduce((sum, z, row) => sum + z - at(largest, row), 0);
  return temperatures.map((_, k) => {
    let total = -ownBelow;
    for (let row = 0; row < block.rows; row++) total += at(means, row * temperatures.length + k);
    return total;
  });
}

function calibrate(context: FitContext, { low, high }: Bracket, pass: number): Calibration {
  const step = (high - low) / (POINTS + 1);
  const logs = Array.from({ length: POINTS }, (_, k) => low + (k + 1) * step);
  const slopes = new Float64Array(POINTS);
  return {
    async observe(block) {
      addTo(slopes, await slopesAt(context, block, logs.map(Math.exp)));
    },
    finish() {
      // Positive: a larger weight 1/T would raise the loss, so T must grow.
      const first = slopes.findIndex((slope) => slope <= 0);
      const above = first < 0 ? high : at(logs, first);
      const below = first === 0 ? low : at(logs, (first < 0 ? POINTS : first) - 1);
      if (pass < PASSES)
        return Promise.resolve(calibrate(context, { low: below, high: above }, pass + 1));
      return Promise.resolve(stateOf(Math.exp(root({ low: below, high: above }, slopes, first))));
    },
  };
}

/** log T within the last bracket; `first` is the slope that ends it, of {@link POINTS}. */
function root({ low, high }: Bracket, slopes: Float64Array, first: number): number {
  const [least, most] = RANGE;
  if (low === Math.log(least)) return low; // no sign changes above the range's end
  if (high === Math.log(most)) return high;
  if (first <= 0) return (low + high) / 2; // one end is of an earlier pass
  const [before, after] = [at(slopes, first - 1), at(slopes, first)];
  return low + ((high - low) * before) / (before - after);
}

function stateOf(temperature: number): ScoreState {
  const isAtEnd = temperature < RANGE[0] * 1.01 || temperature > RANGE[1] / 1.01;
  return {
    arrays: {},
    params: { temperature },
    warnings: isAtEnd
      ? [
          `temperature: the training labels ask for a temperature outside [${RANGE.join(", ")}], as where the network makes no mistakes; fit it to samples that the network has not seen`,
        ]
      : [],
  };
}

/**
 * log(p/(1 − p)) of the largest p of softmax(z/T), which ranks as p does and does not saturate where
 * T is small; T minimises the negative log-likelihood of the labels. Guo et al., 2017.
 */
export const temperature: Score = {
  name: "temperature",
  aliases: ["temp_scaling", "tempscale"],
  title: "Temperature",
  needs: ["labels", "logits"],
  fit: (context) => {
    const [low, high] = RANGE;
    return Promise.resolve(calibrate(context, { low: Math.log(low), high: Math.log(high) }, 1));
  },
  bind(engine, state) {
    const scale = 1 / stateNumber(state, "temperature");
    return {
      async score(block) {
        const scaled = engine.ops.affine(block.needLogits(), { scale });
        return (await readLogitStats(engine, scaled)).logOthers.map((others) => -others);
      },
      dispose: () => undefined,
    };
  },
};
