/**
 * Sharpens where a principal space ends. f32 knows the eigenvectors of a covariance to about 1e-7 · λmax over the
 * gap between eigenvalues: after a collapse, directions that matter lie below that. Rows rotated
 * into the first guess have a graded covariance whose small part is exact to its own size; solving
 * that part alone separates what the whole could not.
 */
import type { Engine, Tensor } from "../engine/index.ts";
import { eighHost, MomentAccumulator } from "../linalg/index.ts";
import { at } from "../util/shape.ts";
import { arrayTensor } from "./arrays.ts";
import type { NamedArray } from "./score.ts";
import { columns } from "./spectrum.ts";
import type { Spectrum } from "./spectrum.ts";

/** Eigenvalues up to this many times the first one beyond the cut join the part that is solved anew. */
const REACH = 30;
/** A coupling this strong against its gap is no small correction; such pairs are left as they are. */
const WEAK = 0.1;

/**
 * First direction of the part worth solving anew for a cut after `cut` directions, or null where
 * the first solution resolves the cut as well: the rest is not much smaller than the whole.
 */
export function refinedFrom(values: Float64Array, cut: number): number | null {
  if (cut >= values.length) return null;
  const limit = REACH * Math.max(0, at(values, cut));
  const near = values.findIndex((value) => value <= limit);
  const start = near < 0 ? cut : Math.min(near, cut);
  return start === 0 ? null : start;
}

/** Gathers rows in the basis of a first spectrum and gives a better one. */
export class SplitRefiner {
  private readonly engine: Engine;
  private readonly found: Spectrum;
  private readonly start: number;
  private readonly isCentred: boolean;
  private readonly moments: MomentAccumulator;
  private readonly basis: Tensor;

  /** @param start - what {@link refinedFrom} said. */
  constructor(
    engine: Engine,
    found: Spectrum,
    { start, isCentred }: { readonly start: number; readonly isCentred: boolean },
  ) {
    this.engine = engine;
    this.found = found;
    this.start = start;
    this.isCentred = isCentred;
    this.moments = new MomentAccumulator(engine, found.values.length);
    this.basis = arrayTensor(engine, found.vectors);
  }

  /** Adds rows [B, D], shifted and scaled as the matrix of the first spectrum was. */
  async observe(rows: Tensor): Promise<void> {
    await this.moments.add(this.engine.ops.matmul(rows, this.basis));
  }

  /** The refined spectrum. */
  async finish(): Promise<Spectrum> {
    const { engine, start, found } = this;
    const dim = found.values.length;
    const graded = this.gradedMatrix();
    const lower = dim - start;
    const part = Float64Array.from({ length: lower * lower }, (_, index) =>
      at(graded, (start + Math.floor(index / lower)) * dim + start + (index % lower)),
    );
    this.basis.dispose();
    return engine.scope(async () => {
      const { ops } = engine;
      const { values, vectors } = await eighHost(engine, part, lower);
      const large = arrayTensor(engine, columns(found.vectors, 0, start)); // [D, start]
      const small = arrayTensor(engine, columns(found.vectors, start, dim)); // [D, lower]
      const mixing = arrayTensor(engine, couplings(graded, dim, start)); // [start, lower]
      const turned = ops.matmul(ops.add(small, ops.matmul(large, mixing)), vectors);
      const kept = ops.sub(large, ops.matmul(small, mixing, null, { transposeB: true }));
      const all = Float64Array.from(found.values);
      all.set(values, start);
      return {
        values: all,
        vectors: {
          shape: [dim, dim],
          values: await ops.concat(kept, turned, { axis: 1 }).floats(),
        },
      };
    });
  }

  /** Covariance, or second moment, of the rotated rows. */
  private gradedMatrix(): Float64Array {
    const { mean, covariance } = this.moments.finish();
    if (this.isCentred) return covariance;
    const dim = mean.length;
    return covariance.map(
      (value, index) => value + at(mean, Math.floor(index / dim)) * at(mean, index % dim),
    );
  }
}

/** First-order rotation between the large part (rows) and the small one: T_ij / (T_jj − T_ii). */
function couplings(graded: Float64Array, dim: number, start: number): NamedArray {
  const lower = dim - start;
  const values = new Float32Array(start * lower);
  for (let i = 0; i < start; i++)
    for (let j = start; j < dim; j++) {
      const coupling = at(graded, i * dim + j);
      const gap = at(graded, j * dim + j) - at(graded, i * dim + i);
      if (Math.abs(coupling) < WEAK * Math.abs(gap)) values[i * lower + j - start] = coupling / gap;
    }
  return { shape: [start, lower], values };
}
