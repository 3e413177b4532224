/** NC1: within-class scatter measured by the pseudo-inverse of the between-class scatter, Tr(Σ_W Σ_B⁺). */
import type { Engine, Tensor } from "../../engine/index.ts";
import type { FeatureSource } from "../../io/index.ts";
import { eigh } from "../../linalg/index.ts";
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { eachBlock } from "../block.ts";
import type { PassOptions } from "../block.ts";
import type { Rows } from "./geometry.ts";

/** Rows of a source with the class (row of the means) that each belongs to. */
export interface Group {
  readonly source: FeatureSource;
  /** Row of the means for each sample: [N]. */
  readonly classes: Int32Array;
}

/** The directions u_k of Σ_B over √λ_k. */
interface BetweenFactor {
  readonly directions: Float32Array; // [D · K]
  readonly rank: number;
}

/** Directions u_k as columns of any length, largest λ first, with their λ. */
interface Directions {
  readonly columns: Float32Array; // [D · K]
  readonly lambda: Float64Array; // [K]
}

/**
 * Through the C × C Gram matrix G = M̃M̃ᵀ/C = VΛVᵀ, for C ≤ D: columns M̃ᵀv_k = √(Cλ_k) u_k, so that no
 * D × D matrix is needed. λ_k = ‖M̃ᵀv_k‖²/C: small ones keep their digits, which G rounds away.
 */
async function fromClasses(engine: Engine, spread: Tensor): Promise<Directions> {
  const { ops } = engine;
  const { vectors } = await eigh(engine, ops.matmul(spread, spread, null, { transposeB: true }));
  const columns = await ops.matmul(spread, vectors, null, { transposeA: true }).floats(); // [D, C]
  const classes = at(spread.shape, 0);
  return { columns, lambda: columnEnergies(columns, classes).map((energy) => energy / classes) };
}

/** Through the D × D matrix M̃ᵀM̃, for D below C: columns u_k, λ_k = ‖M̃u_k‖²/C. */
async function fromColumns(engine: Engine, spread: Tensor): Promise<Directions> {
  const { ops } = engine;
  const { vectors } = await eigh(engine, ops.matmul(spread, spread, null, { transposeA: true }));
  const along = await ops.matmul(spread, vectors).floats(); // [C, D]
  const [classes, dim] = [at(spread.shape, 0), at(spread.shape, 1)];
  const lambda = columnEnergies(along, dim).map((energy) => energy / classes);
  return { columns: await vectors.floats(), lambda };
}

/** Σ x² of each column of a matrix of a width. */
function columnEnergies(values: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  values.forEach((value, index) => {
    sums[index % width] = at(sums, index % width) + value * value;
  });
  return sums;
}

/** Directions of Σ_B = M̃ᵀM̃/C with λ above rcond · λmax, at most C − 1 and D of them. */
async function betweenFactor(engine: Engine, spread: Rows, rcond: number): Promise<BetweenFactor> {
  const { rows: classes, dim } = spread;
  return engine.scope(async () => {
    const m = engine.tensor(Float32Array.from(spread.values), [classes, dim]);
    const { columns, lambda } = await (classes <= dim ? fromClasses : fromColumns)(engine, m);
    const width = lambda.length;
    const largest = lambda.reduce((a, b) => Math.max(a, b), 0);
    if (largest === 0) throw new DataError("neural collapse: all class means are equal");
    const kept = Array.from(lambda.keys())
      .slice(0, Math.min(classes - 1, dim))
      .filter((k) => at(lambda, k) > rcond * largest);
    const energies = columnEnergies(columns, width);
    const directions = new Float32Array(dim * kept.length);
    kept.forEach((k, column) => {
      const scale = 1 / Math.sqrt(at(energies, k) * at(lambda, k)); // makes u_k/√λ_k
      for (let row = 0; row < dim; row++)
        directions[row * kept.length + column] = at(columns, row * width + k) * scale;
    });
    return { directions, rank: kept.length };
  });
}

/**
 * Tr(Σ_W Σ_B⁺), undivided: the mean over all samples of Σ_k ((h − μ_y)·u_k)²/λ_k.
 * @throws DataError if all class means are equal.
 */
export async function variabilityTrace(
  engine: Engine,
  groups: readonly Group[],
  { means, centre, rcond }: { means: Rows; centre: Float64Array; rcond: number },
  pass: PassOptions = {},
): Promise<number> {
  const { dim, rows: classes } = means;
  const spread = {
    ...means,
    values: means.values.map((value, index) => value - at(centre, index % dim)),
  };
  const { directions, rank } = await betweenFactor(engine, spread, rcond);
  const factor = engine.tensor(directions, [dim, rank]);
  const centres = engine.tensor(Float32Array.from(means.values), [classes, dim]);
  let total = 0;
  let count = 0;
  try {
    for (const group of groups) {
      total += await scatter(engine, group, { factor, centres }, pass);
      count += group.source.rows;
    }
  } finally {
    factor.dispose();
    centres.dispose();
  }
  return total / count;
}

/** Σ over a group's rows of ‖(h − μ_y) F‖². */
async function scatter(
  engine: Engine,
  { source, classes }: Group,
  { factor, centres }: { factor: Tensor; centres: Tensor },
  pass: PassOptions,
): Promise<number> {
  const { ops } = engine;
  let total = 0;
  let start = 0;
  await eachBlock(engine, source, { ...pass, featuresOnly: true }, async (block) => {
    const own = engine.tensor(classes.slice(start, start + block.rows), [block.rows]);
    const offset = ops.sub(block.features, ops.gather(centres, own)); // [B, D]
    const inside = ops.square(ops.matmul(offset, factor)); // [B, K]
    const sums = await ops.sum(inside, { axes: [1] }).floats();
    total += sums.reduce((sum, value) => sum + value, 0);
    start += block.rows;
  });
  return total;
}
