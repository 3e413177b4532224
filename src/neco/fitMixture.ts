/** Fits a Gaussian mixture by expectation–maximisation, from the clusters of k-means. */
import type { Engine } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { kMeans } from "./clusters.ts";
import type { Clusters } from "./clusters.ts";
import { logitStatsOf, logSumExp } from "./logits.ts";
import { addSums, maximise, noSums, sumsOf } from "./maximise.ts";
import type { MixtureSums } from "./maximise.ts";
import { disposeMixture, logTerms, mixtureChunk, mixtureTensors } from "./mixture.ts";
import type { Mixture } from "./mixture.ts";
import { RowChunks } from "./rowChunks.ts";
import type { Rows } from "./rowChunks.ts";

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
  chunks: RowChunks,
  { labels, centres }: Clusters,
  { regularisation, variances }: MixtureChoice,
): Promise<Mixture> {
  const { dim, count } = chunks.rows;
  const classes = centres.length / dim;
  const whiten = new Float64Array(dim * dim);
  for (const [j, variance] of variances.entries())
    whiten[j * (dim + 1)] = 1 / Math.sqrt(Math.max(0, variance) + regularisation);
  const weights = new Float64Array(classes).fill(1 / classes);
  let mixture: Mixture = { means: centres, whiten, weights };
  // The second look is through the covariance that the first one found: small directions keep digits.
  for (let look = 0; look < 2; look++) {
    const sums = noSums(classes, dim);
    const tensors = mixtureTensors(engine, mixture);
    await chunks.each(
      (x, start, end) => {
        const own = engine.tensor(labels.slice(start, end));
        return sumsOf(engine, [x, engine.ops.oneHot(own, { classes })], tensors);
      },
      (parts) => {
        addSums(sums, parts);
      },
    );
    disposeMixture(tensors);
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
  const components = clusters.centres.length / rows.dim;
  const chunks = new RowChunks(engine, rows, mixtureChunk(components, rows.dim));
  try {
    return await turns(
      engine,
      chunks,
      await firstMixture(engine, chunks, clusters, choice),
      choice,
    );
  } finally {
    chunks.dispose();
  }
}

/** Turns until one gains next to nothing. */
async function turns(
  engine: Engine,
  chunks: RowChunks,
  first: Mixture,
  { regularisation }: MixtureChoice,
): Promise<MixtureFit> {
  const turned = { count: chunks.rows.count, regularisation };
  let mixture = first;
  let before = -Infinity;
  for (let turn = 1; turn <= MAX_TURNS; turn++) {
    const { sums, likelihood } = await expectation(engine, chunks, mixture);
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
  chunks: RowChunks,
  mixture: Mixture,
): Promise<{ readonly sums: MixtureSums; readonly likelihood: number }> {
  const { ops } = engine;
  const { dim, count } = chunks.rows;
  const sums = noSums(mixture.weights.length, dim);
  const tensors = mixtureTensors(engine, mixture);
  let total = 0;
  await chunks.each(
    (x) => {
      const terms = logTerms(engine, x, tensors); // [B, K]
      return [ops.logitstats(terms), ...sumsOf(engine, [x, ops.softmax(terms)], tensors)];
    },
    ([stats = new Float32Array(), ...parts]) => {
      total = logSumExp(logitStatsOf(stats)).reduce((sum, value) => sum + value, total);
      addSums(sums, parts);
    },
  );
  disposeMixture(tensors);
  let logScale = 0; // ½ log det Σ⁻¹
  for (let j = 0; j < dim; j++) logScale += Math.log(at(mixture.whiten, j * (dim + 1)));
  return { sums, likelihood: total / count + logScale };
}
