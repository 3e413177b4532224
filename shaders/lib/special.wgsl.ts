/** erf, tanh and sigmoid of our own: WGSL has no erf, and its tanh and exp are loosely bounded. */

/**
 * `erfcx_(z)` = exp(z²) · erfc(z) = t · P(t), t = 1/(1 + z/2), for 0 ≤ z ≤ 12: a minimax fit, good
 * to 3e-7 relative as f32 evaluates it. `erf_(x)`: below 1 an odd minimax series, so that it keeps
 * relative accuracy at 0; above it 1 − erfc. |Δerf| ≤ 2e-7.
 */
export const erf = `fn erfcx_(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = -0.0593638308;
  p = p * t + 0.286013931;
  p = p * t - 0.490179539;
  p = p * t + 0.281475186;
  p = p * t - 0.028971957;
  p = p * t + 0.203678474;
  p = p * t + 0.242853627;
  p = p * t + 0.282409579;
  p = p * t + 0.282084465;
  return p * t;
}
fn erf_series(x: f32) -> f32 {
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
fn erf_(x: f32) -> f32 {
  let z = min(abs(x), 12.0); // keeps z² finite; erfc(12) is below f32
  let outside = sign(x) * (1.0 - exp(-z * z) * erfcx_(z));
  return select(outside, erf_series(x), abs(x) < 1.0);
}
`;

/** `normal_(x)`: Φ(x), whose lower tail is relatively accurate, and φ(x) from one exponential. */
export const normal = `${erf}const SQRT_HALF: f32 = 0.70710678;
const INV_SQRT_TWO_PI: f32 = 0.39894228;
struct Normal {
  cdf: f32,
  density: f32,
}
fn normal_(x: f32) -> Normal {
  let z = min(abs(x), 16.0); // the density at 16 is below f32
  let bell = exp(-0.5 * z * z);
  let tail = 0.5 * bell * erfcx_(z * SQRT_HALF);
  return Normal(select(tail, 1.0 - tail, x > 0.0), INV_SQRT_TWO_PI * bell);
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
