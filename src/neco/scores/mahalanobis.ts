/** Mahalanobis: distance to the nearest class mean under the covariance that the classes share. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { arrayTensor, matrixArray, stateArray } from "../arrays.ts";
import type { Block } from "../block.ts";
import { classRows, rowsOfLabels } from "../moments.ts";
import type { ClassMeans } from "../moments.ts";
import { sharedCalibration } from "../score.ts";
import type { Calibration, FitContext, NamedArray, Score, ScoreState } from "../score.ts";
import { calibrateWhitening } from "../whiten.ts";

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

// Mahalanobis and its relative form share one fit.
const fits = new WeakMap<FitContext, Calibration>();

/**
 * μ_c by true label and the whitening of Σ_w = (1/N) Σ (h − μ_y)(h − μ_y)ᵀ.
 * @throws DataError without labels.
 */
export function fitClassDistance(context: FitContext): Calibration {
  const { classes, name, dim } = context.train;
  if (!classes) throw new DataError(`${name}: Mahalanobis needs labels of the training features`);
  const known = fits.get(context);
  if (known) return known;
  const fit = sharedCalibration(
    calibrateWhitening(context, {
      rowsOf: centredRows(context, classes),
      emptiness: "every sample equals its class mean, so Mahalanobis has no scale; leave it out",
      stateOf(whiten) {
        const rank = at(whiten.shape, 1);
        return {
          arrays: { means: matrixArray(classes.means, classes.labels.length, dim), whiten },
          params: { rank, cut: dim - rank, rcond: context.options.rcond },
          warnings: [],
        };
      },
    }),
  );
  fits.set(context, fit);
  return fit;
}

/** A fitted Mahalanobis distance on the GPU. */
export class ClassDistance {
  private readonly engine: Engine;
  private readonly fit: NamedArray;
  private readonly means: Tensor; // [K, D]
  private readonly whiten: Tensor; // [D, R]
  private readonly centre: Tensor; // [D]
  private readonly whitened: Tensor; // [K, R], of means − centre
  private readonly halfSquares: Tensor; // [K], −½ ‖whitened‖²
  private last: { readonly block: Block; readonly scores: Promise<Float64Array> } | null = null;

  /** Uploads a state made by {@link mahalanobis}. */
  constructor(engine: Engine, state: ScoreState) {
    const { ops } = engine;
    this.engine = engine;
    this.fit = stateArray(state, "whiten");
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

  /** min_c of the squared distances of h [B, D]: [B]. A program may record it, and it has a slope. */
  squares(features: Tensor): Tensor {
    const { ops } = this.engine;
    const y = ops.matmul(ops.sub(features, this.centre), this.whiten); // [B, R]
    // argmin ‖y − y_c‖² = argmax y·y_c − ½‖y_c‖². Only the winner's distance is then computed, from
    // h − μ_c: the expanded square cancels for tight classes.
    const nearness = ops.matmul(y, this.whitened, this.halfSquares, { transposeB: true }); // [B, K]
    const nearest = ops.gather(this.means, ops.argmax(nearness)); // [B, D]
    const offset = ops.matmul(ops.sub(features, nearest), this.whiten); // [B, R]
    return ops.sum(ops.square(offset), { axes: [1] });
  }

  /** −min_c of the squared distances: [B]; computed once per block. */
  score(block: Block): Promise<Float64Array> {
    if (this.last?.block !== block) this.last = { block, scores: this.compute(block) };
    return this.last.scores;
  }

  private async compute(block: Block): Promise<Float64Array> {
    return Float64Array.from(await this.squares(block.features).floats(), (square) => -square);
  }

  /** Whether this measures with the same fit on the same engine. */
  isOf(engine: Engine, whiten: NamedArray): boolean {
    return this.engine === engine && this.fit === whiten;
  }

  /** Gives the memory back. */
  dispose(): void {
    const { means, whiten, centre, whitened, halfSquares } = this;
    for (const tensor of [means, whiten, centre, whitened, halfSquares]) tensor.dispose();
  }
}

// Mahalanobis and its relative form share the distances of a block.
const open = new Map<ClassDistance, number>();

/** The distance of a fit, shared by all that bind it until each has released it. */
export function bindClassDistance(engine: Engine, state: ScoreState): ClassDistance {
  const whiten = stateArray(state, "whiten");
  const known = [...open.keys()].find((distance) => distance.isOf(engine, whiten));
  const distance = known ?? new ClassDistance(engine, state);
  open.set(distance, (open.get(distance) ?? 0) + 1);
  return distance;
}

/** Gives a shared distance back; the last one to do so frees it. */
export function releaseClassDistance(distance: ClassDistance): void {
  const users = (open.get(distance) ?? 1) - 1;
  if (users > 0) open.set(distance, users);
  else {
    open.delete(distance);
    distance.dispose();
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
  aliases: ["mds", "maha", "ssd"],
  title: "Mahalanobis",
  needs: ["features", "labels"],
  fit: (context) => Promise.resolve(fitClassDistance(context)),
  bind(engine, state) {
    const distance = bindClassDistance(engine, state);
    return {
      score: (block) => distance.score(block),
      dispose: () => {
        releaseClassDistance(distance);
      },
    };
  },
};
