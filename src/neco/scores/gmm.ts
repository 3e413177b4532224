/** GMM: likelihood under a mixture of Gaussians of the training features' first principal components. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import {
  arrayTensor,
  matrixArray,
  splitTensor,
  splitVector,
  stateArray,
  subtractSplit,
} from "../arrays.ts";
import type { SplitTensor } from "../arrays.ts";
import { logSumExp, readLogitStats } from "../logits.ts";
import { fitMixture } from "../fitMixture.ts";
import type { MixtureFit } from "../fitMixture.ts";
import type { TrainStatistics } from "../moments.ts";
import { mixtureChunk } from "../mixture.ts";
import { disposeScored, nearTerms, scoredMixture } from "../mixtureScore.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Chosen } from "../parameters.ts";
import { refinedFrom, SplitRefiner } from "../refine.ts";
import type { Calibration, Fit, FitContext, NamedArray, Score, ScoreState } from "../score.ts";
import { columns, isTied, spectrum } from "../spectrum.ts";
import type { Spectrum } from "../spectrum.ts";

const NAME = "gmm";

/** λmax over the first eigenvalue left out beyond which f32 mixes the directions on both sides of the cut. */
const DEEP = 1e4;

const parameters = {
  clusters: numeric(50, { min: 1, isInteger: true }),
  dim: numeric(50, { min: 1, isInteger: true }),
  regularisation: numeric(1e-6, { min: 1e-12 }),
};

type Choice = Chosen<typeof parameters>;

/** (h − μ) V: [B, d]. Even with all directions, this keeps those without variance apart. */
const reduced = (engine: Engine, h: Tensor, mean: SplitTensor, basis: Tensor): Tensor =>
  engine.ops.matmul(subtractSplit(engine, h, mean), basis);

/** What is known before the mixture: rows are reduced by it. */
interface Reduction {
  readonly mean: NamedArray; // split, [2, D]
  readonly basis: NamedArray; // [D, d]
  readonly variances: Float64Array; // [d]
  readonly isTied: boolean;
}

function reductionOf(
  { mean }: TrainStatistics,
  { values, vectors }: Spectrum,
  dim: number,
): Reduction {
  return {
    mean: splitVector(mean),
    basis: columns(vectors, 0, dim),
    variances: values.subarray(0, dim),
    isTied: isTied(values, dim),
  };
}

/** Finds the principal directions, with a look of their own at the cut where it lies too deep for f32. */
async function fitDirections(context: FitContext, choice: Choice): Promise<Fit> {
  const { engine, train } = context;
  const dim = Math.min(choice.dim, train.dim);
  const found = await spectrum(engine, train.covariance, train.dim);
  const isDeep = dim < train.dim && at(found.values, 0) > DEEP * at(found.values, dim);
  const start = isDeep ? refinedFrom(found.values, dim) : null;
  if (start === null) return fitRows(context, choice, reductionOf(train, found, dim));
  const refiner = new SplitRefiner(engine, found, { start, isCentred: true });
  const mean = splitTensor(engine, splitVector(train.mean));
  return {
    observe: ({ features }) => refiner.observe(subtractSplit(engine, features, mean)),
    async finish() {
      for (const tensor of [mean.hi, mean.lo]) tensor.dispose();
      return fitRows(context, choice, reductionOf(train, await refiner.finish(), dim));
    },
  };
}

/** Collects the reduced rows, then fits the mixture. */
function fitRows({ engine, train }: FitContext, choice: Choice, reduction: Reduction): Calibration {
  const dim = at(reduction.basis.shape, 1);
  const values = new Float32Array(train.count * dim);
  let filled = 0;
  return {
    async observe({ features }) {
      const mean = splitTensor(engine, reduction.mean);
      const rows = reduced(engine, features, mean, arrayTensor(engine, reduction.basis));
      const block = await rows.floats();
      values.set(block, filled);
      filled += block.length;
    },
    async finish() {
      const components = Math.min(choice.clusters, train.count);
      const { regularisation } = choice;
      const { variances } = reduction;
      const rows = { values, count: train.count, dim };
      const fit = await fitMixture(engine, rows, { components, regularisation, variances });
      return stateOf(train.name, choice, reduction, fit);
    },
  };
}

/** The state of a fit, and what a reader of its results must know. */
function stateOf(
  name: string,
  { clusters, regularisation }: Choice,
  { mean, basis, isTied }: Reduction,
  fit: MixtureFit,
): ScoreState {
  const dim = at(basis.shape, 1);
  const found = fit.weights.length;
  const tie = `principal directions ${dim} and ${dim + 1} explain the same variance, so the cut between them is arbitrary; choose another ${NAME}.dim`;
  const few = `${name} has rows for ${found} clusters instead of ${clusters}`;
  const unsettled = `the mixture still gained likelihood after ${fit.turns} turns`;
  return {
    arrays: {
      mean,
      basis,
      means: { shape: [found, dim], values: fit.means },
      whiten: matrixArray(fit.whiten, dim, dim),
      weights: { shape: [found], values: Float32Array.from(fit.weights) },
    },
    params: { clusters: found, dim, regularisation, turns: fit.turns },
    warnings: [
      ...(isTied ? [tie] : []),
      ...(found < clusters ? [few] : []),
      ...(fit.isSettled ? [] : [unsettled]),
    ].map((warning) => `${NAME}: ${warning}`),
  };
}

/**
 * log Σ_k w_k exp(−½ (x − μ_k)ᵀ Σ⁻¹ (x − μ_k)) of x, the first principal components of h: a mixture of
 * Gaussians that share Σ, which OpenOOD fits to the last layer.
 */
export const gmm: Score = {
  name: NAME,
  aliases: [],
  title: "GMM",
  needs: ["features"],
  parameters,
  fit: (context) => fitDirections(context, chooseParameters(NAME, parameters, context.options)),
  bind(engine, state) {
    const { ops } = engine;
    const mean = splitTensor(engine, stateArray(state, "mean"));
    const basis = arrayTensor(engine, stateArray(state, "basis"));
    const means = stateArray(state, "means");
    const mixture = scoredMixture(engine, {
      means: means.values,
      whiten: stateArray(state, "whiten").values,
      weights: stateArray(state, "weights").values,
    });
    const step = mixtureChunk(at(means.shape, 0), at(means.shape, 1));
    return {
      async score(block) {
        const x = reduced(engine, block.features, mean, basis);
        const scores = new Float64Array(block.rows);
        for (let start = 0; start < block.rows; start += step)
          await engine.scope(async () => {
            const end = Math.min(block.rows, start + step);
            const terms = nearTerms(engine, ops.slice(x, { axis: 0, start, end }), mixture);
            scores.set(logSumExp(await readLogitStats(engine, terms)), start);
          });
        return scores;
      },
      dispose() {
        disposeScored(mixture);
        for (const tensor of [mean.hi, mean.lo, basis]) tensor.dispose();
      },
    };
  },
};
