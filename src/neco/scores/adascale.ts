/** AdaScale: SCALE with a percentile of each image's own, by how much a small change moves its features. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { stateArray, stateNumber } from "../arrays.ts";
import type { Block } from "../block.ts";
import { needModel } from "../imageModel.ts";
import type { ImageModel } from "../imageModel.ts";
import { logSumExp, readLogitStats } from "../logits.ts";
import { calibrateMovement, movementProgram } from "../movement.ts";
import { numberTensor } from "../numberTensor.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Parameter } from "../parameters.ts";
import { afterwards } from "../score.ts";
import type { Score, Scorer, ScoreState } from "../score.ts";
import { keptCount, MAX_EXPONENT } from "../topShare.ts";

const ENDS = [60, 65, 70, 75, 80, 85, 90, 95, 99];

/** Every pair of a lower and a higher end, in OpenOOD's order. */
const pairs = ENDS.flatMap((low) =>
  ENDS.filter((high) => high > low).map((high) => `${low}-${high}`),
);

/** Both ends of a text such as 75-85. */
function endsOf(text: string): readonly [low: number, high: number] {
  const [low = Number.NaN, high = Number.NaN] = text.split("-").map(Number);
  return [low, high];
}

const percentiles: Parameter & { readonly default: string } = {
  default: "75-85",
  grid: pairs,
  complaint(value) {
    const [low, high] = endsOf(String(value));
    return low > 0 && high < 100 && low < high
      ? null
      : "must be two percentages between 0 and 100, the lower first, such as 75-85";
  },
};

const parameters = {
  percentiles,
  k1: numeric(5, { min: 0, max: 100 }),
  k2: numeric(1, { min: 0, max: 100 }),
  lambda: numeric(10, { min: 0 }),
  share: numeric(0.05, { min: 0, max: 1 }),
  samples: numeric(5000, { min: 1, isInteger: true }),
};

/** The share of sorted values at or below x. */
function shareUpTo(sorted: Float32Array, x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(sorted, middle) <= x) low = middle + 1;
    else high = middle;
  }
  return low / sorted.length;
}

/** r = Σ relu(h) / Σ of its k largest, k by each image's own percentile: [B]. */
async function factorsOf(
  engine: Engine,
  features: Tensor,
  percentiles: readonly number[],
): Promise<Float64Array> {
  const { ops } = engine;
  const width = at(features.shape, 1);
  const positive = ops.maximum(features, numberTensor(engine, 0));
  const most = keptCount(width, Math.min(...percentiles));
  const tops = await ops.topk(positive, { k: most }).floats(); // [B, most], unsorted
  const totals = await ops.sum(positive, { axes: [1] }).floats();
  return Float64Array.from(percentiles, (percentile, row) => {
    const own = tops
      .slice(row * most, (row + 1) * most)
      .sort()
      .reverse();
    const kept = own.subarray(0, keptCount(width, percentile)).reduce((sum, h) => sum + h, 0);
    return kept > 0 ? at(totals, row) / kept : 1;
  });
}

/** log Σ exp of the logits that a form makes of an image's factor. */
type Energies = (
  engine: Engine,
  block: Block,
  parts: { readonly features: Tensor; readonly logits: Tensor; readonly factors: Float64Array },
) => Promise<Float64Array>;

const column = (engine: Engine, values: Float64Array): Tensor =>
  engine.tensor(Float32Array.from(values), [values.length, 1]);

const ofActivations: Energies = (engine, block, { features, factors }) => {
  const sharpened = factors.map((r) => Math.exp(Math.min(r, MAX_EXPONENT)));
  return block.energyOf(engine.ops.mul(features, column(engine, sharpened)));
};

const ofLogits: Energies = async (engine, _block, { logits, factors }) => {
  const squares = column(
    engine,
    factors.map((r) => r * r),
  );
  return logSumExp(await readLogitStats(engine, engine.ops.mul(logits, squares)));
};

function adascale(name: string, title: string, alias: string, energies: Energies): Score {
  return {
    name,
    aliases: [alias],
    title,
    needs: ["images", "logits", "head", "validation"],
    parameters,
    fit(context) {
      const params = chooseParameters(name, parameters, context.options);
      const { k1, k2, lambda, share, samples } = params;
      const look = calibrateMovement(context, { k1, k2, lambda, share }, samples);
      return afterwards(look, ({ arrays }) => ({ arrays, params, warnings: [] }));
    },
    bind: (engine, state, given) => bindAdascale(engine, state, needModel(given, name), energies),
  };
}

function bindAdascale(
  engine: Engine,
  state: ScoreState,
  model: ImageModel,
  energies: Energies,
): Scorer {
  const number = (name: string): number => stateNumber(state, name);
  const [k1, k2, lambda, share] = [number("k1"), number("k2"), number("lambda"), number("share")];
  const program = movementProgram(engine, model, { k1, k2, lambda, share });
  const { values: movements } = stateArray(state, "movements");
  const [low, high] = endsOf(String(state.params["percentiles"]));
  return {
    async score(block) {
      const { features, logits, movement } = await program.run(block);
      const own = Array.from(
        await movement.floats(),
        (distance) => low + (1 - shareUpTo(movements, distance)) * (high - low),
      );
      const factors = await factorsOf(engine, features, own);
      return energies(engine, block, { features, logits, factors });
    },
    dispose: () => {
      program.dispose();
    },
  };
}

/** Energy of W (h · e^r) + b. Regmi, 2025. */
export const adascaleA = adascale("adascale-a", "AdaScale-A", "adascale_a", ofActivations);

/** Energy of z · r². Regmi, 2025. */
export const adascaleL = adascale("adascale-l", "AdaScale-L", "adascale_l", ofLogits);
