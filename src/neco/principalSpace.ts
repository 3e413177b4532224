/** The space that ViM and Residual measure distance from: principal directions around the origin u = −W⁺b. */
import type { Engine, Tensor } from "../engine/index.ts";
import type { Head } from "../io/index.ts";
import { pinvh } from "../linalg/index.ts";
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
import type { TrainStatistics } from "./moments.ts";
import type { ScoreOptions } from "./options.ts";
import type { FitContext, ScoreState } from "./score.ts";
import { columns, isTied, spectrum } from "./spectrum.ts";

/**
 * u = −W⁺b, the point whose logits are zero (or as near as can be): [D]. Through the smaller Gram
 * matrix of W: W⁺ = Wᵀ(WWᵀ)⁺ for C ≤ D, else (WᵀW)⁺Wᵀ.
 */
export async function originOf(engine: Engine, head: Head, rcond: number): Promise<Float64Array> {
  const { weight, bias, classes, dim } = head;
  if (!bias?.some((value) => value !== 0)) return new Float64Array(dim);
  return engine.scope(async () => {
    const { ops } = engine;
    const w = engine.tensor(weight, [classes, dim]);
    const b = engine.tensor(bias, [classes, 1]);
    const isWide = classes <= dim;
    const gram = ops.matmul(w, w, null, isWide ? { transposeB: true } : { transposeA: true });
    const { inverse } = await pinvh(engine, gram, { rcond });
    const u = isWide
      ? ops.matmul(w, ops.matmul(inverse, b), null, { transposeA: true })
      : ops.matmul(inverse, ops.matmul(w, b, null, { transposeA: true }));
    return Float64Array.from(await u.floats(), (value) => -value);
  });
}

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
  const given = options.principalDim;
  if (typeof given === "number") {
    if (given >= dim)
      throw new UsageError(
        `--principal-dim ${given} is not below the ${dim} feature dimensions: no residual space is left; choose 1 … ${dim - 1}`,
      );
    return { dim: given, rule: "fixed" };
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

/** What ViM and Residual share; the state of Residual. */
export interface PrincipalFit {
  readonly state: ScoreState;
  /** √ mean ‖h − u‖² over the training set, to judge whether a residual is more than rounding. */
  readonly typicalLength: number;
}

interface Shared {
  readonly origin: Float64Array;
  readonly moment: Float64Array;
  readonly found: Awaited<ReturnType<typeof spectrum>>;
}

// ViM and Residual share one decomposition per fit.
const shared = new WeakMap<FitContext, Promise<Shared>>();

async function decompose({ engine, train, head, options }: FitContext): Promise<Shared> {
  const origin = head ? await originOf(engine, head, options.rcond) : new Float64Array(train.dim);
  const moment = secondMoment(train, origin);
  return { origin, moment, found: await spectrum(engine, moment, train.dim) };
}

/**
 * Fits the residual space of a method.
 * @throws UsageError if D′ is not below D.
 */
export async function fitPrincipal(
  method: "vim" | "residual",
  context: FitContext,
): Promise<PrincipalFit> {
  const { train, options } = context;
  const chosen = principalDim(method, train.dim, options);
  const pending = shared.get(context) ?? decompose(context);
  shared.set(context, pending);
  const { origin, moment, found } = await pending;
  const trace = origin.reduce((sum, _, i) => sum + at(moment, i * train.dim + i), 0);
  return {
    typicalLength: Math.sqrt(trace),
    state: {
      arrays: {
        origin: splitVector(origin),
        rest: columns(found.vectors, chosen.dim, train.dim),
      },
      params: { principal_dim: chosen.dim, principal_dim_rule: chosen.rule },
      warnings: isTied(found.values, chosen.dim)
        ? [
            `${method}: directions ${chosen.dim} and ${chosen.dim + 1} explain the same variance, so the cut between them is arbitrary; choose another --principal-dim`,
          ]
        : [],
    },
  };
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
    return Float64Array.from(await rowSumSquares(this.engine, residual), Math.sqrt);
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const tensor of [this.origin.hi, this.origin.lo, this.rest]) tensor.dispose();
  }
}
