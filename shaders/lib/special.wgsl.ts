/** erf, tanh and sigmoid of our own: WGSL has no erf, and its tanh and exp are loosely bounded. */

/**
 * `erf_(x)` and `erfc_positive(z)`, z ≥ 0. Below 1 an odd series, so that erf keeps relative
 * accuracy at 0; above it erfc(z) = exp(−z²) · t · P(t), t = 1/(1 + z/2), so that the tail does.
 * Both polynomials are minimax fits: |Δerf| ≤ 2e-7, erfc to 2e-7 relative beside exp's own error.
 */
export const erf = `fn erf_series(x: f32) -> f32 {
  let s = x * x;
  var p = 7.853858e-5;
  p = p * s - 8.010193e-4;
  p = p * s + 5.1883277e-3;
  p = p * s - 2.6853811e-2;
  p = p * s + 0.11283585;
  p = p * s - 0.37612626;
  p = p * s + 1.1283791;
  return x * p;
}
fn erfc_tail(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = -0.06442495;
  p = p * t + 0.20885466;
  p = p * t - 0.19176866;
  p = p * t - 0.014478746;
  p = p * t - 0.008745821;
  p = p * t + 0.08291051;
  p = p * t + 0.17658184;
  p = p * t + 0.2468074;
  p = p * t + 0.28209558;
  p = p * t + 0.28209478;
  return exp(-z * z) * t * p;
}
fn erfc_positive(z: f32) -> f32 {
  let bounded = min(z, 12.0); // erfc(12) is below f32; keeps z² finite
  return select(erfc_tail(bounded), 1.0 - erf_series(z), z < 1.0);
}
fn erf_(x: f32) -> f32 {
  let outside = sign(x) * (1.0 - erfc_tail(min(abs(x), 12.0)));
  return select(outside, erf_series(x), abs(x) < 1.0);
}
`;

/** `normal_cdf(x)` = Φ(x) and `normal_density(x)` = φ(x); both tails through erfc. */
export const normal = `${erf}
const SQRT_HALF: f32 = 0.70710678;
const INV_SQRT_TWO_PI: f32 = 0.39894228;
fn normal_cdf(x: f32) -> f32 {
  let tail = 0.5 * erfc_positive(abs(x) * SQRT_HALF);
  return select(tail, 1.0 - tail, x > 0.0);
}
fn normal_density(x: f32) -> f32 {
  let bounded = min(abs(x), 16.0); // the density at 16 is below f32
  return INV_SQRT_TWO_PI * exp(-0.5 * bounded * bounded);
}
`;

/** `sigmoid_(x)` = 1/(1 + exp(−x)), without overflow on either side. */
export const sigmoid = `fn sigmoid_(x: f32) -> f32 {
  let e = exp(-abs(x));
  let upper = 1.0 / (1.0 + e);
  return select(e * upper, upper, x >= 0.0);
}
`;

/** `tanh_(x)`: an odd minimax series below 0.55, 1 − 2e/(1 + e) with e = exp(−2|x|) above. */
export const tanh = `fn tanh_(x: f32) -> f32 {
  let s = x * x;
  var p = -6.2355567e-3;
  p = p * s + 2.1039674e-2;
  p = p * s - 5.3842708e-2;
  p = p * s + 0.13332461;
  p = p * s - 0.3333331;
  p = p * s + 1.0;
  let e = exp(-2.0 * abs(x));
  let outside = sign(x) * (1.0 - 2.0 * e / (1.0 + e));
  return select(outside, x * p, abs(x) < 0.55);
}
`;
