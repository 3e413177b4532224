/** Elementwise ops of one operand, a row each: adding one is adding a row here. */
import { erf, normal, sigmoid, tanh } from "../../shaders/lib/special.wgsl.ts";
import type { Tolerance } from "./case.ts";
import { erf64, normalCdf64 } from "./erf64.ts";

/** A row of the table; its key is the op's name. */
export interface UnaryRow {
  /** `fn <name>_(x: f32) -> f32`. */
  readonly wgsl: string;
  /** `fn <name>_slope(x: f32) -> f32`, the derivative. */
  readonly slope: string;
  /** WGSL functions that both call. */
  readonly uses?: string;
  /** The same in float64. */
  reference(x: number): number;
  /** Range of the samples; default [−4, 4]. Where slopes jump, samples must not hit the place. */
  readonly range?: readonly [number, number];
  readonly extremes?: readonly number[];
  readonly tolerance: Tolerance;
}

const EXACT = { rel: 0, abs: 0, why: "one operation without rounding" };
const ROUNDED = { rel: 2 ** -23, abs: 0, why: "one correctly rounded operation" };

/** Every elementwise op of one operand. */
const unaryTable = {
  abs: {
    wgsl: "fn abs_(x: f32) -> f32 { return abs(x); }",
    slope: "fn abs_slope(x: f32) -> f32 { return sign(x); }",
    reference: Math.abs,
    tolerance: EXACT,
  },
  erf: {
    // slope 2/√π · exp(−x²)
    wgsl: "", // erf_ stands in shaders/lib/special.wgsl.ts
    slope: `const TWO_OVER_SQRT_PI: f32 = 1.1283792;
fn erf_slope(x: f32) -> f32 {
  return TWO_OVER_SQRT_PI * exp(-x * x);
}`,
    uses: erf,
    reference: erf64,
    extremes: [1e-20, -1e-3, 0.999, 1, 1.001, -6, 30, -1e30],
    tolerance: { rel: 2.5e-7, abs: 1e-36, why: "a 7-term series, or 1 minus a tail ≤ 0.16" },
  },
  exp: {
    wgsl: "fn exp_(x: f32) -> f32 { return exp(x); }",
    slope: "fn exp_slope(x: f32) -> f32 { return exp(x); }",
    reference: Math.exp,
    tolerance: { rel: 2e-6, abs: 0, why: "WGSL allows 3 + 2|x| ULP, 11 at |x| = 4" },
  },
  floor: {
    wgsl: "fn floor_(x: f32) -> f32 { return floor(x); }",
    slope: "fn floor_slope(x: f32) -> f32 { return 0.0; }",
    reference: Math.floor,
    range: [0.1, 0.9],
    extremes: [-1.5, -1, 2.7, 3, 1e9],
    tolerance: EXACT,
  },
  gelu: {
    // x · Φ(x); slope Φ(x) + x · φ(x)
    wgsl: "fn gelu_(x: f32) -> f32 { return x * normal_(x).cdf; }",
    slope: "fn gelu_slope(x: f32) -> f32 { let at = normal_(x); return at.cdf + x * at.density; }",
    uses: normal,
    reference: (x: number) => x * normalCdf64(x),
    extremes: [-5, -8, -1e-6, 1e-6, 1e4, -1e4, 1e30, -1e30],
    tolerance: {
      rel: 1e-5,
      abs: 1e-30,
      why: "exp(−x²/2) in the negative tail: up to 3 + x² ULP, and x²/2 rounded",
    },
  },
  log: {
    wgsl: "fn log_(x: f32) -> f32 { return log(x); }",
    slope: "fn log_slope(x: f32) -> f32 { return 1.0 / x; }",
    reference: Math.log,
    range: [0.1, 8],
    extremes: [1, 1e-30, 1e30],
    tolerance: { rel: 1e-6, abs: 2 ** -21, why: "WGSL: 2⁻²¹ absolute in [0.5, 2], else 3 ULP" },
  },
  neg: {
    wgsl: "fn neg_(x: f32) -> f32 { return -x; }",
    slope: "fn neg_slope(x: f32) -> f32 { return -1.0; }",
    reference: (x: number) => -x,
    tolerance: EXACT,
  },
  reciprocal: {
    // slope −1/x²
    wgsl: "fn reciprocal_(x: f32) -> f32 { return 1.0 / x; }",
    slope: "fn reciprocal_slope(x: f32) -> f32 { return -1.0 / (x * x); }",
    reference: (x: number) => 1 / x,
    range: [0.3, 4],
    tolerance: { rel: 4e-7, abs: 0, why: "WGSL allows 2.5 ULP for division" },
  },
  relu: {
    // slope at 0 is 0, as in PyTorch
    wgsl: "fn relu_(x: f32) -> f32 { return max(x, 0.0); }",
    slope: "fn relu_slope(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0); }",
    reference: (x: number) => Math.max(x, 0),
    tolerance: EXACT,
  },
  rsqrt: {
    // slope −½ · x^(−3/2)
    wgsl: "fn rsqrt_(x: f32) -> f32 { return inverseSqrt(x); }",
    slope: "fn rsqrt_slope(x: f32) -> f32 { return -0.5 * inverseSqrt(x) / x; }",
    reference: (x: number) => 1 / Math.sqrt(x),
    range: [0.2, 4],
    tolerance: { rel: 4e-7, abs: 0, why: "WGSL allows 2 ULP for inverseSqrt" },
  },
  sigmoid: {
    // slope σ(1 − σ) = e/(1 + e)², e = exp(−|x|): no cancellation in the tails
    wgsl: "", // sigmoid_ stands in shaders/lib/special.wgsl.ts
    slope: `fn sigmoid_slope(x: f32) -> f32 {
  let e = exp(-abs(x));
  return e / ((1.0 + e) * (1.0 + e));
}`,
    uses: sigmoid,
    reference: (x: number) => 1 / (1 + Math.exp(-x)),
    extremes: [-80, 80, 1e30, -1e30],
    tolerance: { rel: 1e-5, abs: 1e-30, why: "exp: 3 + 2|x| ULP, far out in the tail 60" },
  },
  sign: {
    wgsl: "fn sign_(x: f32) -> f32 { return sign(x); }",
    slope: "fn sign_slope(x: f32) -> f32 { return 0.0; }",
    reference: Math.sign,
    tolerance: EXACT,
  },
  silu: {
    // x · σ(x); slope σ · (1 + x · (1 − σ))
    wgsl: "fn silu_(x: f32) -> f32 { return x * sigmoid_(x); }",
    slope: `fn silu_slope(x: f32) -> f32 {
  let s = sigmoid_(x);
  return s * (1.0 + x * (1.0 - s));
}`,
    uses: sigmoid,
    reference: (x: number) => x / (1 + Math.exp(-x)),
    extremes: [-80, 80],
    tolerance: { rel: 1e-5, abs: 1e-30, why: "as sigmoid" },
  },
  sqrt: {
    // slope ½ / √x
    wgsl: "fn sqrt_(x: f32) -> f32 { return sqrt(x); }",
    slope: "fn sqrt_slope(x: f32) -> f32 { return 0.5 * inverseSqrt(x); }",
    reference: Math.sqrt,
    range: [0.1, 8],
    extremes: [0, 1, 1e-30, 1e30],
    tolerance: { rel: 6e-7, abs: 0, why: "WGSL takes sqrt as 1/inverseSqrt: 2 + 2.5 ULP" },
  },
  square: {
    wgsl: "fn square_(x: f32) -> f32 { return x * x; }",
    slope: "fn square_slope(x: f32) -> f32 { return 2.0 * x; }",
    reference: (x: number) => x * x,
    tolerance: ROUNDED,
  },
  tanh: {
    // slope 1 − tanh² = 4e/(1 + e)², e = exp(−2|x|): no cancellation in the tails
    wgsl: "", // tanh_ stands in shaders/lib/special.wgsl.ts
    slope: `fn tanh_slope(x: f32) -> f32 {
  let e = exp(-2.0 * abs(x));
  return 4.0 * e / ((1.0 + e) * (1.0 + e));
}`,
    uses: tanh,
    reference: Math.tanh,
    extremes: [1e-20, 1e-3, 0.55, 1, 20, -20, 1e30, -1e30],
    tolerance: { rel: 1e-6, abs: 1e-36, why: "a 6-term series, or 1 minus a part good to 1e-6" },
  },
} as const satisfies Record<string, UnaryRow>;

/** Names of the elementwise ops of one operand. */
export type UnaryName = keyof typeof unaryTable;

/** The rows with one type, for code that loops over them. */
export const unaryRows: Readonly<Record<UnaryName, UnaryRow>> = unaryTable;

/** Whether a string names a row. */
export const isUnaryName = (name: string): name is UnaryName => Object.hasOwn(unaryTable, name);
