/** Singular values from their vectors, with products that are good to 1e-9 of the largest. */
import type { Engine } from "../engine/index.ts";
import { eighHost } from "./eigh.ts";
import { exactGram, exactProduct } from "./exactProduct.ts";
import type { Host } from "./exactProduct.ts";
import { get } from "./float64.ts";
import { addProducts } from "./matrix64.ts";
import { quotients } from "./rayleigh.ts";
import { smallSymmetric } from "./smallSymmetric.ts";

/** Neighbours closer than this, in parts of the largest value, have vectors that rounding mixes. */
const CLOSE = 2e-6;

/** Values of a cluster up to which the host solves it: O(D) of them each. */
const SMALL = 16;

/** Clusters below this part of the largest value cannot err by much. */
const TALL = 0.05;

/** The singular vectors that were found, in descending order of their values. */
export interface Found {
  readonly u: Float32Array; // [M, K]
  readonly v: Float32Array; // [N, K]
  readonly values: Float64Array;
}

/** Stretches of close values: [first, end). */
function clustersOf(values: Float64Array): [number, number][] {
  const largest = get(values, 0);
  const clusters: [number, number][] = [];
  let first = 0;
  for (let k = 1; k <= values.length; k++) {
    if (k < values.length && get(values, k - 1) - get(values, k) <= CLOSE * largest) continue;
    if (k - first > 1 && get(values, k - 1) > TALL * largest) clusters.push([first, k]);
    first = k;
  }
  return clusters;
}

function columnsOf({ values, rows, cols }: Host, first: number, end: number): Host {
  const width = end - first;
  const part = Float64Array.from(
    { length: rows * width },
    (_, index) => values[Math.floor(index / width) * cols + first + (index % width)] ?? Number.NaN,
  );
  return { values: part, rows, cols: width };
}

/** WᵀW in float64. */
function hostGram({ values, cols }: Host): Float64Array {
  const rows = Float64Array.from(values);
  const sums = new Float64Array(cols * cols);
  addProducts(sums, [rows, rows], () => 1);
  return sums;
}

/**
 * Values of a cluster around s, whatever orthonormal basis V of its space was found: the eigenvalues
 * of (AV)ᵀAV − s²VᵀV are σ² − s² but for the square of what V errs by.
 */
async function clusterValues(
  engine: Engine,
  [w, v]: readonly [Host, Host],
  middle: number,
): Promise<Float64Array> {
  const size = w.cols;
  const [stretched, plain] =
    size <= SMALL
      ? [hostGram(w), hostGram(v)]
      : [await exactGram(engine, w), await exactGram(engine, v)];
  const off = stretched.map((value, index) => value - middle ** 2 * get(plain, index));
  const found =
    size <= SMALL
      ? smallSymmetric(off, size)
      : (await engine.scope(() => eighHost(engine, off, size))).values;
  return found.map((value) => Math.sqrt(Math.max(0, middle ** 2 + value)));
}

/**
 * Singular values of A [M, N], descending, as quotients uᵀ A v: vectors that err by 1e-7 give values
 * that err by 1e-14 of the largest, where they belong to one value. Those of clusters are found
 * together.
 */
export async function sharpen(engine: Engine, a: Host, found: Found): Promise<Float64Array> {
  const size = found.values.length;
  const v = { values: found.v, rows: a.cols, cols: size };
  const w = { values: await exactProduct(engine, a, v), rows: a.rows, cols: size };
  const values = quotients(found.u, found.v, w.values, size).map(Math.abs);
  values.sort((one, other) => other - one); // neighbours swap by rounding alone
  for (const [first, end] of clustersOf(values)) {
    const middle = get(values, (first + end) >> 1);
    const parts = [columnsOf(w, first, end), columnsOf(v, first, end)] as const;
    values.set(await clusterValues(engine, parts, middle), first);
  }
  return values.sort((one, other) => other - one);
}
