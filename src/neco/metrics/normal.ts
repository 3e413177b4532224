/** The normal distribution as far as tests and intervals need it. */

const SMALL = 2; // below it the series of erf converges fast and loses no digits
const EPSILON = 2 ** -52;
const MAX_TERMS = 1000; // 60 are enough at x = 2, the slowest

/** P(|Z| ≥ |z|) = erfc(|z| / √2): the p-value of a two-sided test; small ones keep their digits. */
export function twoSidedTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  return x < SMALL ? 1 - erfSeries(x) : erfcFraction(x);
}

/** erf x = 2/√π · e^(−x²) Σ_k 2^k x^(2k+1) / (1 · 3 ⋯ (2k + 1)); all terms are positive. */
function erfSeries(x: number): number {
  let term = x;
  let total = x;
  for (let k = 1; term > EPSILON * total; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** erfc x = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))), by Lentz's method; x ≥ 2 has no zeros. */
function erfcFraction(x: number): number {
  let value = x;
  let numerator = x;
  let denominator = 0;
  for (let k = 1; k < MAX_TERMS; k++) {
    denominator = 1 / (x + (k / 2) * denominator);
    numerator = x + k / 2 / numerator;
    const factor = numerator * denominator;
    value *= factor;
    if (Math.abs(factor - 1) <= EPSILON) break;
  }
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * value);
}

/**
 * The z with P(|Z| ≤ z) = level, by bisection: 1.96 for 0.95.
 * @param level - in (0, 1)
 */
export function twoSidedQuantile(level: number): number {
  let [low, high] = [0, 40];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (twoSidedTail(middle) > 1 - level) low = middle;
    else high = middle;
  }
}
