/** NECO's principal space: how it is fitted, and the projection energies that every d and denominator need. */
import type { Engine, Tensor } from "../engine/index.ts";
import { deviations } from "../linalg/index.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import {
  arrayTensor,
  rowSumSquares,
  splitTensor,
  splitVector,
  stateArray,
  subtractSplit,
} from "./arrays.ts";
import type { SplitTensor } from "./arrays.ts";
import type { Block } from "./block.ts";
import type { TrainStatistics } from "./moments.ts";
import type { NecoMode, ScoreOptions } from "./options.ts";
import { refinedFrom, SplitRefiner } from "./refine.ts";
import type { Fit, FitContext, ScoreState } from "./score.ts";
import { dimForVariance, explainedVariance, isTied, spectrum } from "./spectrum.ts";
import type { Spectrum } from "./spectrum.ts";
import { constantColumns } from "./trainWarnings.ts";

/** Share of the variance that `auto` keeps: the paper's rule for deployment. */
const AUTO_SHARE = 0.9;

/** Squared lengths of one block's rows, in float64. */
export interface Energies {
  /** Inside the first d directions, for each d of the grid: [rows · grid]. */
  readonly inside: Float64Array;
  /** In the remaining directions. */
  readonly outside: Float64Array;
  /** ‖h‖² of the raw feature. */
  readonly raw: Float64Array;
  /** Number of d in the grid. */
  readonly grid: number;
}

/** @throws DataError if every column is constant. */
function assertVaried(train: TrainStatistics): void {
  if (constantColumns(train).length === train.dim)
    throw new DataError(
      `${train.name}: all training features are equal; nothing can be fitted to them`,
    );
}

/** The matrix whose eigenvectors span the space: correlation in official mode, else covariance. */
function spreadMatrix(train: TrainStatistics, sigma: Float64Array | null): Float64Array {
  const { covariance, dim } = train;
  if (!sigma) return covariance;
  return covariance.map(
    (value, index) => value / (at(sigma, Math.floor(index / dim)) * at(sigma, index % dim)),
  );
}

/**
 * Fits the space once; `neco` and `neco-nologit` share the result.
 * @throws DataError if there are fewer samples than dimensions.
 * @throws UsageError if d is not below D.
 */
export async function fitNecoSpace(context: FitContext): Promise<Fit> {
  const { engine, train, head, options } = context;
  const { dim, count, name } = train;
  if (count < dim)
    throw new DataError(
      `${name}: PCA in ${dim} dimensions needs at least ${dim} training samples, got ${count}; pass more`,
    );
  if (dim < 2) throw new DataError(`${name}: NECO needs at least 2 feature dimensions, got ${dim}`);
  assertVaried(train);
  const sigma = options.necoMode === "official" ? deviations(train) : null;
  const found = await spectrum(engine, spreadMatrix(train, sigma), dim);
  const classes = head?.classes ?? train.classes?.labels.length ?? null;
  const chosen = chooseDim(options, found.values, classes);
  const start = refinedFrom(found.values, chosen);
  const first = spaceState(context, sigma, chosen, found);
  if (start === null) return first;
  const refiner = new SplitRefiner(engine, found, { start, isCentred: true });
  const normaliser = new Normaliser(engine, first);
  return {
    observe: (block) => refiner.observe(normaliser.apply(block.features)),
    async finish() {
      normaliser.dispose();
      return spaceState(context, sigma, chosen, await refiner.finish());
    },
  };
}

function spaceState(
  { train, options }: FitContext,
  sigma: Float64Array | null,
  chosen: number,
  { values, vectors }: Spectrum,
): ScoreState {
  const scale = Float32Array.from(train.mean, (_, column) => (sigma ? 1 / at(sigma, column) : 1));
  return {
    arrays: {
      mean: splitVector(train.mean),
      scale: { shape: [train.dim], values: scale },
      vectors,
    },
    params: {
      d: chosen,
      d_rule: typeof options.necoDim === "number" ? "fixed" : options.necoDim,
      mode: options.necoMode,
      denominator: denominatorOf(options),
      explained_variance: at(explainedVariance(values), chosen - 1),
    },
    warnings: isTied(values, chosen)
      ? [
          `neco: directions ${chosen} and ${chosen + 1} explain the same variance, so d = ${chosen} is ambiguous; choose another d`,
        ]
      : [],
  };
}

/** ‖s(h)‖ in official mode unless the raw norm was asked for; always ‖h‖ in the paper's modes. */
const denominatorOf = ({ necoMode, necoDenominator }: ScoreOptions): "standardised" | "raw" =>
  necoMode === "official" && necoDenominator !== "raw" ? "standardised" : "raw";

function chooseDim(options: ScoreOptions, values: Float64Array, classes: number | null): number {
  const dim = values.length;
  const wanted = options.necoDim;
  if (wanted === "auto") return dimForVariance(values, AUTO_SHARE);
  if (wanted === "classes" && classes === null)
    throw new UsageError("--neco-dim classes needs labels or a head; or give d as a number");
  const chosen = wanted === "classes" ? Math.max(1, (classes ?? 2) - 1) : wanted;
  if (chosen >= dim)
    throw new UsageError(
      `--neco-dim ${chosen} is not below the ${dim} feature dimensions, where every score is 1; choose 1 … ${dim - 1}, or auto`,
    );
  return chosen;
}

/** s(h): centred and scaled in official mode, centred in paper-centred mode; on the GPU. */
class Normaliser {
  private readonly engine: Engine;
  private readonly mean: SplitTensor;
  private readonly scale: Tensor;
  private readonly isScaled: boolean;

  constructor(engine: Engine, state: ScoreState) {
    this.engine = engine;
    this.mean = splitTensor(engine, stateArray(state, "mean"));
    this.scale = arrayTensor(engine, stateArray(state, "scale"));
    this.isScaled = state.params["mode"] === "official";
  }

  apply(features: Tensor): Tensor {
    const centred = subtractSplit(this.engine, features, this.mean);
    return this.isScaled ? this.engine.ops.mul(centred, this.scale) : centred;
  }

  dispose(): void {
    for (const tensor of [this.mean.hi, this.mean.lo, this.scale]) tensor.dispose();
  }
}

/** A fitted space on the GPU. */
export class NecoSpace {
  /** The dimension that scores use. */
  readonly dim: number;
  /** Feature dimensions. */
  readonly width: number;
  private readonly engine: Engine;
  private readonly mode: NecoMode;
  private readonly denominator: "standardised" | "raw";
  private readonly normaliser: Normaliser;
  private readonly vectors: Tensor;
  private readonly split: Tensor; // of the fitted d
  private last: { readonly block: Block; readonly ratios: Promise<Float64Array> } | null = null;

  /** Uploads a state made by {@link fitNecoSpace}. */
  constructor(engine: Engine, state: ScoreState) {
    this.engine = engine;
    const vectors = stateArray(state, "vectors");
    const { mode, d, denominator } = state.params;
    this.width = at(vectors.shape, 0);
    this.dim = typeof d === "number" ? d : 1;
    this.mode = mode === "paper" || mode === "paper-centred" ? mode : "official";
    this.denominator = denominator === "raw" ? "raw" : "standardised";
    this.normaliser = new Normaliser(engine, state);
    this.vectors = arrayTensor(engine, vectors);
    this.split = this.splitAt([this.dim]);
  }

  /** NECO's ratio of each row at the fitted d; computed once per block. */
  ratios(block: Block): Promise<Float64Array> {
    if (this.last?.block !== block) this.last = { block, ratios: this.measure(block, this.split) };
    return this.last.ratios;
  }

  /** NECO's ratio at every d of a grid: [rows · grid]. */
  ratiosAt(block: Block, dims: readonly number[]): Promise<Float64Array> {
    return this.measure(block, this.splitAt(dims));
  }

  private async measure(block: Block, split: Tensor): Promise<Float64Array> {
    const { inside, outside, raw, grid } = await this.energies(block, split);
    // Where the denominator is the length of what was rotated, inside + outside is that length
    // squared: 1 − ratio keeps its digits even when nearly everything lies inside.
    const isRotation =
      this.mode === "paper" || (this.mode === "official" && this.denominator === "standardised");
    return inside.map((part, index) => {
      const whole = isRotation ? part + at(outside, index) : at(raw, Math.floor(index / grid));
      return whole === 0 ? 0 : Math.sqrt(part / whole);
    });
  }

  /** The projection t(h) of each row on all directions. */
  private project(features: Tensor): Tensor {
    const rows = this.mode === "paper" ? features : this.normaliser.apply(features);
    return this.engine.ops.matmul(rows, this.vectors); // [B, D]
  }

  /** 0/1 matrix [D, 2G]: column g adds up the directions below d_g, column G + g the others. */
  private splitAt(dims: readonly number[]): Tensor {
    const grid = dims.length;
    const values = new Float32Array(this.width * 2 * grid);
    for (let row = 0; row < this.width; row++)
      dims.forEach((d, g) => {
        values[row * 2 * grid + (row < d ? g : grid + g)] = 1;
      });
    return this.engine.tensor(values, [this.width, 2 * grid]);
  }

  private async energies(block: Block, split: Tensor): Promise<Energies> {
    const { ops } = this.engine;
    const squares = ops.square(this.project(block.features)); // [B, D]
    const [sums, raw] = await Promise.all([
      ops.matmul(squares, split).floats(), // [B, 2G]
      rowSumSquares(this.engine, block.features),
    ]);
    const grid = at(split.shape, 1) / 2;
    const side = (first: number): Float64Array => {
      const part = new Float64Array(block.rows * grid);
      for (let to = 0, from = first; to < part.length; to += grid, from += 2 * grid)
        part.set(sums.subarray(from, from + grid), to);
      return part;
    };
    return { inside: side(0), outside: side(grid), raw: new Float64Array(raw), grid };
  }

  /** Gives the memory back. */
  dispose(): void {
    this.normaliser.dispose();
    this.vectors.dispose();
    this.split.dispose();
  }
}
