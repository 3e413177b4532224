/** Roots of the secular equation 1 + ρ Σ zᵢ² / (dᵢ − λ) = 0, in float64, each relative to a pole. */
import { NoConvergenceError } from "../util/errors.ts";
import { EPSILON, get } from "./float64.ts";

/** Diagonal plus rank one: diag(d) + ρ z zᵀ, d strictly ascending, no zᵢ = 0, ρ positive. */
export interface RankOne {
  readonly d: Float64Array;
  readonly z: Float64Array;
  readonly rho: number;
}

/**
 * Root j is d[origin[j]] + offset[j]: kept apart, because λⱼ − dᵢ must be accurate where they
 * nearly meet.
 */
export interface Roots {
  readonly origin: Int32Array;
  readonly offset: Float64Array;
}

/** Bisection alone would take about 60 steps to full accuracy; interpolation takes 3 to 8. */
const MAX_STEPS = 200;

/** The secular function at μ past its origin, split at the root's interval. */
interface Split {
  /** Sum over the poles at and left of the root's interval, and its derivative. */
  psi: number;
  dPsi: number;
  /** Sum over the poles on the right. */
  phi: number;
  dPhi: number;
  /** Σ |terms|, for the stopping rule. */
  size: number;
}

function evaluate({ d, z, rho }: RankOne, j: number, pole: number, mu: number): Split {
  const split = { psi: 0, dPsi: 0, phi: 0, dPhi: 0, size: 1 };
  for (let i = 0; i < d.length; i++) {
    const weight = get(z, i);
    const t = weight / (get(d, i) - pole - mu);
    const term = rho * weight * t;
    if (i <= j) {
      split.psi += term;
      split.dPsi += rho * t * t;
    } else {
      split.phi += term;
      split.dPhi += rho * t * t;
    }
    split.size += Math.abs(term);
  }
  return split;
}

/**
 * The zero of c + s/(a − x) + t/(b − x) that lies between the poles, where c, s, t match value and
 * slope of both halves at μ (Bunch, Nielsen and Sorensen's interpolation).
 */
function interpolate(split: Split, mu: number, a: number, b: number): number {
  const fromA = a - mu;
  const s = split.dPsi * fromA * fromA;
  const r = split.psi - split.dPsi * fromA;
  if (b === Infinity) return a + s / (1 + r);
  const fromB = b - mu;
  const t = split.dPhi * fromB * fromB;
  const c = 1 + r + split.phi - split.dPhi * fromB;
  const linear = c * (a + b) + s + t;
  const constant = c * a * b + s * b + t * a;
  const root = Math.sqrt(Math.max(0, linear * linear - 4 * c * constant));
  return linear > 0 ? (2 * constant) / (linear + root) : (linear - root) / (2 * c);
}

/** Where to look for root j: relative to `origin`, between `low` and `high`; poles at a and b. */
interface Search {
  readonly origin: number;
  readonly pole: number;
  readonly low: number;
  readonly high: number;
  readonly a: number;
  readonly b: number;
}

function searchFor(system: RankOne, j: number, zNorm2: number): Search {
  const { d, rho } = system;
  const isLast = j === d.length - 1;
  const gap = isLast ? rho * zNorm2 : get(d, j + 1) - get(d, j);
  const middle = evaluate(system, j, get(d, j), gap / 2);
  // f rises from −∞ to +∞ between two poles: its sign in the middle says which pole is nearer.
  const nearRight = !isLast && 1 + middle.psi + middle.phi < 0;
  const origin = nearRight ? j + 1 : j;
  const pole = get(d, origin);
  return {
    origin,
    pole,
    low: nearRight ? -gap / 2 : 0,
    high: nearRight ? 0 : isLast ? gap : gap / 2,
    a: get(d, j) - pole,
    b: isLast ? Infinity : get(d, j + 1) - pole,
  };
}

function solveOne(system: RankOne, j: number, zNorm2: number): { origin: number; offset: number } {
  const { origin, pole, a, b, ...bracket } = searchFor(system, j, zNorm2);
  let { low, high } = bracket;
  let mu = (low + high) / 2;
  for (let step = 0; step < MAX_STEPS; step++) {
    const split = evaluate(system, j, pole, mu);
    const value = 1 + split.psi + split.phi;
    if (Math.abs(value) <= 8 * EPSILON * split.size) return { origin, offset: mu };
    if (value < 0) low = mu;
    else high = mu;
    const wanted = interpolate(split, mu, a, b);
    const next = wanted > low && wanted < high ? wanted : (low + high) / 2;
    if (next === mu || next === low || next === high) return { origin, offset: next };
    mu = next;
  }
  throw new NoConvergenceError("secular equation", MAX_STEPS, high - low);
}

/**
 * All roots, ascending.
 * @throws NoConvergenceError if one is not found, as NaN input makes it.
 */
export function secularRoots(system: RankOne): Roots {
  const size = system.d.length;
  const roots = { origin: new Int32Array(size), offset: new Float64Array(size) };
  const zNorm2 = system.z.reduce((sum, value) => sum + value * value, 0);
  for (let j = 0; j < size; j++) {
    const { origin, offset } = solveOne(system, j, zNorm2);
    roots.origin[j] = origin;
    roots.offset[j] = offset;
  }
  return roots;
}

/** Root j as a number. */
export const rootValue = ({ d }: RankOne, { origin, offset }: Roots, j: number): number =>
  get(d, origin[j] ?? -1) + get(offset, j);

/**
 * Component i of the vector for which the computed roots are exact (Gu and Eisenstat).
 * @param away - λⱼ − dᵢ of all j.
 */
function exactWeight({ d, z, rho }: RankOne, away: Float64Array, i: number): number {
  const last = d.length - 1;
  const own = get(d, i);
  let product = get(away, last) / rho;
  for (let j = 0; j < i; j++) product *= get(away, j) / (get(d, j) - own);
  for (let j = i; j < last; j++) product *= get(away, j) / (get(d, j + 1) - own);
  return Math.sign(get(z, i)) * Math.sqrt(Math.max(0, product));
}

/**
 * Eigenvectors of the system whose roots these are, as the columns of a [k, k] array: column j holds
 * ẑᵢ / (dᵢ − λⱼ), normalised. ẑ in place of z makes the vectors orthogonal however close the roots are.
 */
export function secularVectors(system: RankOne, { origin, offset }: Roots): Float64Array {
  const { d } = system;
  const size = d.length;
  const poles = offset.map((_, j) => get(d, origin[j] ?? -1));
  const away = new Float64Array(size);
  const norms = new Float64Array(size);
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const own = get(d, i);
    for (let j = 0; j < size; j++) away[j] = get(poles, j) - own + get(offset, j);
    const weight = exactWeight(system, away, i);
    for (let j = 0; j < size; j++) {
      const value = -weight / get(away, j);
      vectors[i * size + j] = value;
      norms[j] = get(norms, j) + value * value;
    }
  }
  for (let j = 0; j < size; j++) norms[j] = Math.sqrt(get(norms, j));
  for (let base = 0; base < vectors.length; base += size)
    for (let j = 0; j < size; j++) vectors[base + j] = get(vectors, base + j) / get(norms, j);
  return vectors;
}
