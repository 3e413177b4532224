/** Fits a Gaussian mixture by expectation–maximisation, from the clusters of k-means. */
import type { Engine } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { kMeans } from "./clusters.ts";
import type { Clusters, Rows } from "./clusters.ts";
import { logSumExp, readLogitStats } from "./logits.ts";
import { maximise, mixtureSums } from "./maximise.ts";
import type { MixtureSums } from "./maximise.ts";
import { logTerms, mixtureTensors } from "./mixture.ts";
import type { Mixture } from "./mixture.ts";

const MAX_TURNS = 100;
const TOLERANCE = 1e-3; // gain in mean log-likelihood that ends the turns, as in scikit-learn

/** What {@link fitMixture} takes beside the rows. */
export interface MixtureChoice {
  readonly components: number;
  /** Added to the covariance's diagonal. */
  readonly regularisation: number;
  /** Of the rows' columns: [D]. */
  readonly variances: Float64Array;
}

/** The mixture of hard clusters: what the turns begin with. */
async function firstMixture(
  engine: Engine,
  rows: Rows,
  { labels, centres }: Clusters,
  { regularisation, variances }: MixtureChoice,
): Promise<Mixture> {
  const { dim, count } = rows;
  const classes = centres.length / dim;
  const whiten = new Float64Array(dim * dim);
  for (const [j, variance] of variances.entries())
    whiten[j * (dim + 1)] = 1 / Math.sqrt(Math.max(0, variance) + regularisation);
  const weights = new Float64Array(classes).fill(1 / classes);
  let mixture: Mixture = { means: centres, whiten, weights };
  // The second look is through the covariance that the first one found: small directions keep digits.
  for (let look = 0; look < 2; look++) {
    const sums = await mixtureSums(engine, rows, mixture, (_x, start, end) => {
      const own = engine.tensor(labels.slice(start, end));
      return Promise.resolve(engine.ops.oneHot(own, { classes }));
    });
    mixture = maximise(sums, mixture, { count, regularisation });
  }
  return mixture;
}

/** A fitted mixture, and how the turns ended. */
export interface MixtureFit extends Mixture {
  readonly turns: number;
  readonly isSettled: boolean;
}

/**
 * Expectation–maximisation from the clusters of {@link kMeans}, until a turn gains less than 1e-3 in
 * mean log-likelihood, 100 turns at most.
 */
export async function fitMixture(
  engine: Engine,
  rows: Rows,
  choice: MixtureChoice,
): Promise<MixtureFit> {
  const clusters = await kMeans(engine, rows, choice.components);
  const turned = { count: rows.count, regularisation: choice.regularisation };
  let mixture = await firstMixture(engine, rows, clusters, choice);
  let before = -Infinity;
  for (let turn = 1; turn <= MAX_TURNS; turn++) {
    const { sums, likelihood } = await expectation(engine, rows, mixture);
    mixture = maximise(sums, mixture, turned);
    if (Math.abs(likelihood - before) < TOLERANCE)
      return { ...mixture, turns: turn, isSettled: true };
    before = likelihood;
  }
  return { ...mixture, turns: MAX_TURNS, isSettled: false };
}

/** Sums under a mixture's responsibilities, and its mean log-likelihood but for ½ D log 2π. */
async function expectation(
  engine: Engine,
  rows: Rows,
  mixture: Mixture,
): Promise<{ readonly sums: MixtureSums; readonly likelihood: number }> {
  let total = 0;
  const sums = await mixtureSums(engine, rows, mixture, async (x) => {
    const terms = logTerms(engine, x, mixtureTensors(engine, mixture)); // [B, K]
    for (const value of logSumExp(await readLogitStats(engine, terms))) total += value;
    return engine.ops.softmax(terms);
  });
  let logScale = 0; // ½ log det Σ⁻¹
  for (let j = 0; j < rows.dim; j++) logScale += Math.log(at(mixture.whiten, j * (rows.dim + 1)));
  return { sums, likelihood: total / rows.count + logScale };
}
