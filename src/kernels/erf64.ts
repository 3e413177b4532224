/** erf and erfc in float64, by other algorithms than the shaders': the oracle of gelu. */

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
/** Where the series ends and the continued fraction starts. */
const SERIES_LIMIT = 1;
/** Terms of the continued fraction; converges to 1e-16 from {@link SERIES_LIMIT} on. */
const FRACTION_TERMS = 400;

/**
 * erf(x) = 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, all terms of one sign (Abramowitz & Stegun
 * 7.1.6).
 */
function erfSeries(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * total;
}

/** erfc(x) = exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), for positive x (A&S 7.1.14). */
function erfcFraction(x: number): number {
  let fraction = x;
  for (let n = FRACTION_TERMS; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** erfc(x) = 1 − erf(x), with relative accuracy in the right tail. */
export function erfc64(x: number): number {
  return x > SERIES_LIMIT ? erfcFraction(x) : 1 - erf64(x);
}

/** erf(x), good to about 1e-15. */
export function erf64(x: number): number {
  return Math.abs(x) <= SERIES_LIMIT
    ? erfSeries(x)
    : Math.sign(x) * (1 - erfcFraction(Math.abs(x)));
}

/** Φ(x), the standard normal distribution function. */
export const normalCdf64 = (x: number): number => 0.5 * erfc64(-x / Math.SQRT2);
