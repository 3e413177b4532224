/** Mahalanobis: distance to the nearest class mean under the covariance that the classes share. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { MomentAccumulator } from "../../linalg/index.ts";
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, matrixArray, rowSumSquares, stateArray } from "../arrays.ts";
import type { Block } from "../block.ts";
import { readLogitStats } from "../logits.ts";
import { classRows, rowsOfLabels } from "../moments.ts";
import type { ClassMeans } from "../moments.ts";
import type { Calibration, FitContext, NamedArray, Score, ScoreState } from "../score.ts";
import { columns, rankOf, scaleColumns, spectrum } from "../spectrum.ts";

/** Where Σ_w spreads further than this, f32 blurs its small eigenvalues and a second look is taken. */
const SHARP = 1e-2;

/** Σ_w⁺ = A Aᵀ: eigenvectors over the roots of their eigenvalues, [D, rank]. */
async function whitener(
  { engine, options, train }: FitContext,
  within: Float64Array,
): Promise<{ whiten: NamedArray; isSharp: boolean }> {
  const { values, vectors } = await spectrum(engine, within, train.dim);
  const rank = rankOf(values, options.rcond);
  if (rank === 0)
    throw new DataError(
      `${train.name}: every sample equals its class mean, so Mahalanobis has no scale; leave it out`,
    );
  const factors = Float64Array.from({ length: rank }, (_, k) => 1 / Math.sqrt(at(values, k)));
  return {
    whiten: scaleColumns(columns(vectors, 0, rank), factors),
    isSharp: at(values, rank - 1) >= SHARP * at(values, 0),
  };
}

/** Rows h − μ_y, on the GPU. */
function centredRows({ engine, train }: FitContext, classes: ClassMeans): (block: Block) => Tensor {
  const means = matrixArray(classes.means, classes.labels.length, train.dim);
  const rows = classRows(classes.labels);
  return (block) => {
    if (!block.labels) throw new DataError(`${train.name}: labels are missing`);
    const own = engine.tensor(rowsOfLabels(block.labels, rows), [block.rows]);
    const centres = engine.ops.gather(arrayTensor(engine, means), own); // [B, D]
    return engine.ops.sub(block.features, centres);
  };
}

/**
 * Gathers Σ_w = (1/N) Σ (h − μ_y)(h − μ_y)ᵀ from centred rows: as the difference of two
 * covariances it would drown in rounding once the classes have collapsed.
 */
function calibrate(context: FitContext, classes: ClassMeans): Calibration {
  const { engine, train, options } = context;
  const rowsOf = centredRows(context, classes);
  const moments = new MomentAccumulator(engine, train.dim);
  const stateOf = (whiten: NamedArray): ScoreState => {
    const rank = at(whiten.shape, 1);
    return {
      arrays: { means: matrixArray(classes.means, classes.labels.length, train.dim), whiten },
      params: { rank, cut: train.dim - rank, rcond: options.rcond },
      warnings: [],
    };
  };
  return {
    observe: (block) => moments.add(rowsOf(block)),
    async finish() {
      const { whiten, isSharp } = await whitener(context, moments.finish().covariance);
      if (isSharp) return stateOf(whiten);
      return sharpen(context, whiten, { rowsOf, stateOf });
    },
  };
}

/** Whitens what the first whitening left: Cov(Aᵀ(h − μ_y)) = U S Uᵀ is near I, so A U S^(−½) is exact. */
function sharpen(
  { engine }: FitContext,
  first: NamedArray,
  {
    rowsOf,
    stateOf,
  }: { rowsOf: (block: Block) => Tensor; stateOf: (whiten: NamedArray) => ScoreState },
): Calibration {
  const rank = at(first.shape, 1);
  const factor = arrayTensor(engine, first);
  const moments = new MomentAccumulator(engine, rank);
  return {
    observe: (block) => moments.add(engine.ops.matmul(rowsOf(block), factor)),
    async finish() {
      const { values, vectors } = await spectrum(engine, moments.finish().covariance, rank);
      const roots = values.map((value) => 1 / Math.sqrt(value));
      const whiten = await engine.scope(async () => {
        const turn = arrayTensor(engine, scaleColumns(vectors, roots));
        return engine.ops.matmul(factor, turn).floats(); // [D, R]
      });
      factor.dispose();
      return stateOf({ shape: first.shape, values: whiten });
    },
  };
}

/** A fitted Mahalanobis distance on the GPU. */
class Distance {
  private readonly engine: Engine;
  private readonly means: Tensor; // [K, D]
  private readonly whiten: Tensor; // [D, R]
  private readonly centre: Tensor; // [D]
  private readonly whitened: Tensor; // [K, R], of means − centre
  private readonly halfSquares: Tensor; // [K], −½ ‖whitened‖²

  /** Uploads a state made by {@link mahalanobis}. */
  constructor(engine: Engine, state: ScoreState) {
    const { ops } = engine;
    this.engine = engine;
    this.means = arrayTensor(engine, stateArray(state, "means"));
    this.whiten = arrayTensor(engine, stateArray(state, "whiten"));
    this.centre = engine.tensor(columnMeans(stateArray(state, "means")));
    const made = engine.scope(() => {
      const whitened = ops.matmul(ops.sub(this.means, this.centre), this.whiten);
      const squares = ops.sum(ops.square(whitened), { axes: [1] });
      return { whitened, halfSquares: ops.affine(squares, { scale: -0.5 }) };
    });
    this.whitened = made.whitened;
    this.halfSquares = made.halfSquares;
  }

  async score(block: Block): Promise<Float64Array> {
    const { ops } = this.engine;
    const y = ops.matmul(ops.sub(block.features, this.centre), this.whiten); // [B, R]
    // argmin ‖y − y_c‖² = argmax y·y_c − ½‖y_c‖². Only the winner's distance is then computed, from
    // h − μ_c: the expanded square cancels for tight classes.
    const nearness = ops.matmul(y, this.whitened, this.halfSquares, { transposeB: true }); // [B, K]
    const { predicted } = await readLogitStats(this.engine, nearness);
    const nearest = ops.gather(this.means, this.engine.tensor(predicted, [block.rows])); // [B, D]
    const offset = ops.matmul(ops.sub(block.features, nearest), this.whiten); // [B, R]
    return Float64Array.from(await rowSumSquares(this.engine, offset), (square) => -square);
  }

  dispose(): void {
    const { means, whiten, centre, whitened, halfSquares } = this;
    for (const tensor of [means, whiten, centre, whitened, halfSquares]) tensor.dispose();
  }
}

/** Mean of the rows of a matrix: [D]. */
function columnMeans({ shape, values }: NamedArray): Float32Array {
  const rows = at(shape, 0);
  const width = at(shape, 1);
  return Float32Array.from({ length: width }, (_, column) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += at(values, row * width + column);
    return sum / rows;
  });
}

/** −min_c (h − μ_c)ᵀ Σ_w⁺ (h − μ_c), classes by true label. Lee et al., 2018. */
export const mahalanobis: Score = {
  name: "mahalanobis",
  aliases: ["mds", "maha"],
  title: "Mahalanobis",
  needs: ["features", "labels"],
  fit(context) {
    const { classes, name } = context.train;
    if (!classes) throw new DataError(`${name}: Mahalanobis needs labels of the training features`);
    return Promise.resolve(calibrate(context, classes));
  },
  bind: (engine, state) => new Distance(engine, state),
};
