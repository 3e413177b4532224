/** Whitens rows around their centres: A with Σ⁺ = A Aᵀ, sharp where f32 alone would blur it. */
import type { Engine, Tensor } from "../engine/index.ts";
import { MomentAccumulator } from "../linalg/index.ts";
import { DataError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { arrayTensor } from "./arrays.ts";
import type { Block } from "./block.ts";
import type { Calibration, FitContext, NamedArray, ScoreState } from "./score.ts";
import { columns, rankOf, scaleColumns, spectrum } from "./spectrum.ts";

/**
 * Where Σ spreads further than this, f32 blurs its small eigenvalues and a second look is taken.
 * Eigenvalues err by 1e-7 · λmax, and relative distances are differences that magnify it.
 */
const SHARP = 0.1;

/** What {@link calibrateWhitening} takes. */
export interface WhiteningInput {
  /** Centred rows of a block: [B, D]. */
  readonly rowsOf: (block: Block) => Tensor;
  /** Said when all rows are zero. */
  readonly emptiness: string;
  readonly stateOf: (whiten: NamedArray) => ScoreState;
}

/** Σ⁺ = A Aᵀ: eigenvectors over the roots of their eigenvalues, [D, rank]. */
async function whitener(
  { engine, options, train }: FitContext,
  covariance: Float64Array,
  emptiness: string,
): Promise<{ whiten: NamedArray; isSharp: boolean }> {
  const { values, vectors } = await spectrum(engine, covariance, train.dim);
  const rank = rankOf(values, options.rcond);
  if (rank === 0) throw new DataError(`${train.name}: ${emptiness}`);
  const factors = Float64Array.from({ length: rank }, (_, k) => 1 / Math.sqrt(at(values, k)));
  return {
    whiten: scaleColumns(columns(vectors, 0, rank), factors),
    isSharp: at(values, rank - 1) >= SHARP * at(values, 0),
  };
}

/**
 * Gathers Σ = (1/N) Σ r rᵀ from centred rows r: as the difference of two covariances it would drown
 * in rounding once the rows lie close to their centres.
 * @throws DataError if every row equals its centre, when the pass is over.
 */
export function calibrateWhitening(context: FitContext, input: WhiteningInput): Calibration {
  const { engine, train } = context;
  const moments = new MomentAccumulator(engine, train.dim);
  return {
    observe: (block) => moments.add(input.rowsOf(block)),
    async finish() {
      const { covariance } = moments.finish();
      const { whiten, isSharp } = await whitener(context, covariance, input.emptiness);
      return isSharp ? input.stateOf(whiten) : sharpen(engine, whiten, input);
    },
  };
}

/** Whitens what the first whitening left: Cov(Aᵀ r) = U S Uᵀ is near I, so A U S^(−½) is exact. */
function sharpen(
  engine: Engine,
  first: NamedArray,
  { rowsOf, stateOf }: WhiteningInput,
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
