/** The space that ViM and Residual measure distance from: principal directions around the origin u = −W⁺b. */
import type { Engine, Tensor } from "../engine/index.ts";
import { UsageError } from "../util/errors.ts";
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
import { originOf } from "./headOrigin.ts";
import type { HeadOrigin } from "./headOrigin.ts";
import type { TrainStatistics } from "./moments.ts";
import type { ScoreOptions } from "./options.ts";
import type { Parameter } from "./parameters.ts";
import { refinedFrom, SplitRefiner } from "./refine.ts";
import { afterwards, sharedCalibration } from "./score.ts";
import type { Fit, FitContext, ScoreState } from "./score.ts";
import { sharedSpaces } from "./sharedSpaces.ts";
import { columns, isTied, spectrum } from "./spectrum.ts";
import type { Spectrum } from "./spectrum.ts";

/** The published dimension of the principal space, before it is held against D. */
function publishedDim(method: "vim" | "residual", dim: number, options: ScoreOptions): number {
  switch (options.preset) {
    case "neco":
      return dim >= 2048 ? 1000 : 512;
    case "vim":
      return dim >= 2048 ? 1000 : dim >= 768 ? 512 : Math.floor(dim / 2);
    case "openood":
      return method === "vim" ? 256 : 512;
  }
}

/** What OpenOOD's search of ViM tries. */
const SEARCHED = [256, 1000];

/**
 * D′ as a parameter of one method. A search tries OpenOOD's values and the one that holds without it,
 * as far as they leave a residual space; none where `principalDim` is given.
 */
export const principalParameters = (method: "vim" | "residual"): { readonly dim: Parameter } => ({
  dim: {
    default: "published",
    grid({ dim, options }) {
      if (options.principalDim !== "default") return [];
      const dims = new Set([...SEARCHED, principalDim(method, dim, options).dim]);
      return [...dims].filter((value) => value < dim).sort((a, b) => a - b);
    },
    complaint: (value) =>
      value === "published" || (typeof value === "number" && Number.isInteger(value) && value >= 1)
        ? null
        : "must be a whole number of at least 1, or published",
  },
});

/**
 * D′ of ViM or Residual. A published D′ that leaves no residual space (D′ ≥ D) becomes ⌊D/2⌋, ViM's own
 * rule for narrow features.
 * @throws UsageError if a D′ given by hand is not below D.
 */
export function principalDim(
  method: "vim" | "residual",
  dim: number,
  options: ScoreOptions,
): { readonly dim: number; readonly rule: string } {
  const own = options.methodParams[method]?.["dim"] ?? options.principalDim;
  if (typeof own === "number") {
    const option = own === options.principalDim ? "--principal-dim " : `--param ${method}.dim=`;
    if (own >= dim)
      throw new UsageError(
        `${option}${own} is not below the ${dim} feature dimensions: no residual space is left; choose 1 … ${dim - 1}`,
      );
    return { dim: own, rule: "fixed" };
  }
  const published = publishedDim(method, dim, options);
  return published < dim
    ? { dim: published, rule: options.preset }
    : { dim: Math.max(1, Math.floor(dim / 2)), rule: "half of D" };
}

/** (1/N) Σ (h − u)(h − u)ᵀ = covariance + (μ − u)(μ − u)ᵀ. */
function secondMoment(train: TrainStatistics, origin: Float64Array): Float64Array {
  const { covariance, mean, dim } = train;
  const offset = mean.map((value, column) => value - at(origin, column));
  return covariance.map(
    (value, index) => value + at(offset, Math.floor(index / dim)) * at(offset, index % dim),
  );
}

interface Decomposition extends HeadOrigin {
  readonly found: Spectrum;
}

// ViM and Residual share one decomposition per fit, and its refinement where they cut it alike.
const decompositions = new WeakMap<FitContext, Promise<Decomposition>>();
const fits = new WeakMap<FitContext, Map<number, Fit>>();

async function decompose({ engine, train, head, options }: FitContext): Promise<Decomposition> {
  const { origin, rank } = head
    ? await originOf(engine, head, options.rcond)
    : { origin: new Float64Array(train.dim), rank: null };
  const found = await spectrum(engine, secondMoment(train, origin), train.dim);
  return { origin, rank, found };
}

/** √ mean ‖h − u‖² over the training set: what a residual is held against to tell it from rounding. */
export function typicalLength(
  { mean, covariance, dim }: TrainStatistics,
  state: ScoreState,
): number {
  const { values } = stateArray(state, "origin");
  const squares = mean.map((value, column) => {
    const offset = value - at(values, column) - at(values, dim + column);
    return offset * offset + at(covariance, column * dim + column);
  });
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0));
}

/**
 * Fits the residual space of a method; its state is Residual's.
 * @throws UsageError if D′ is not below D.
 */
export async function fitPrincipal(method: "vim" | "residual", context: FitContext): Promise<Fit> {
  const chosen = principalDim(method, context.train.dim, context.options);
  const pending = decompositions.get(context) ?? decompose(context);
  decompositions.set(context, pending);
  const decomposition = await pending;
  const known = fits.get(context) ?? new Map<number, Fit>();
  fits.set(context, known);
  const fit = known.get(chosen.dim) ?? split(context, decomposition, chosen.dim);
  known.set(chosen.dim, fit);
  return afterwards(fit, ({ arrays, warnings }) => ({
    arrays,
    params: {
      principal_dim: chosen.dim,
      principal_dim_rule: chosen.rule,
      ...(decomposition.rank === null ? {} : { head_rank: decomposition.rank }),
    },
    warnings: warnings.map((warning) => `${method}: ${warning}`),
  }));
}

function split({ engine, train }: FitContext, { origin, found }: Decomposition, cut: number): Fit {
  const stateOf = ({ values, vectors }: Spectrum): ScoreState => ({
    arrays: { origin: splitVector(origin), rest: columns(vectors, cut, train.dim) },
    params: {},
    warnings: isTied(values, cut)
      ? [
          `directions ${cut} and ${cut + 1} explain the same variance, so the cut between them is arbitrary; choose another --principal-dim`,
        ]
      : [],
  });
  const start = refinedFrom(found.values, cut);
  if (start === null) return stateOf(found);
  const refiner = new SplitRefiner(engine, found, { start, isCentred: false });
  const shift = splitTensor(engine, splitVector(origin));
  return sharedCalibration({
    observe: (block) => refiner.observe(subtractSplit(engine, block.features, shift)),
    async finish() {
      shift.hi.dispose();
      shift.lo.dispose();
      return stateOf(await refiner.finish());
    },
  });
}

/** ‖(h − u)ᵀQ‖ on the GPU. */
export class ResidualSpace {
  private readonly engine: Engine;
  private readonly origin: SplitTensor;
  private readonly rest: Tensor;
  private last: { readonly block: Block; readonly norms: Promise<Float64Array> } | null = null;

  /** Uploads a state made by {@link fitPrincipal}. */
  constructor(engine: Engine, state: ScoreState) {
    this.engine = engine;
    this.origin = splitTensor(engine, stateArray(state, "origin"));
    this.rest = arrayTensor(engine, stateArray(state, "rest"));
  }

  /** Residual norms of a block's rows; computed once per block. */
  norms(block: Block): Promise<Float64Array> {
    if (this.last?.block !== block) this.last = { block, norms: this.compute(block) };
    return this.last.norms;
  }

  private async compute(block: Block): Promise<Float64Array> {
    const offset = subtractSplit(this.engine, block.features, this.origin); // [B, D]
    const residual = this.engine.ops.matmul(offset, this.rest); // [B, D − D′]
    return new Float64Array(await rowSumSquares(this.engine, residual)).map(Math.sqrt);
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const tensor of [this.origin.hi, this.origin.lo, this.rest]) tensor.dispose();
  }
}

/** The space of a state for scoring; ViM and Residual that cut alike measure a block once. */
export const takeResidualSpace = sharedSpaces((engine, state) => new ResidualSpace(engine, state));
