/** Judges GPU results against the float64 oracle, and gradients against its central differences. */
import type { Array64, OpCases, Sample, Tolerance } from "../../src/kernels/case.ts";
import { array64 } from "../../src/kernels/case.ts";
import { at } from "../../src/util/shape.ts";
import { generator } from "./samples.ts";

/** Smallest normal f32: below it implementations may flush to zero. */
const FLUSH = 2 ** -126;

/** Rounding to f16: half an ULP, or half of the smallest subnormal. */
const HALF_ULP = { rel: 2 ** -11, abs: 2 ** -25 };
/** Reference values from here on are infinite in f16. */
const HALF_OVERFLOW = 65_520;

/**
 * The worst element's |Δ| / allowed, with a line that names it; above 1 fails. Results that are
 * stored as f16 may differ by their rounding besides.
 */
export function worst(
  got: ArrayLike<number>,
  expected: Array64,
  scale: Array64,
  { rel, abs, isHalf = false }: Tolerance & { readonly isHalf?: boolean },
): { ratio: number; line: string } {
  let ratio = 0;
  let line = "";
  for (let index = 0; index < expected.data.length; index++) {
    const value = at(expected.data, index);
    const want = isHalf && Math.abs(value) >= HALF_OVERFLOW ? value * Infinity : value;
    const have = at(got, index);
    const rounding = isHalf ? HALF_ULP.abs + HALF_ULP.rel * Math.abs(value) : 0;
    const allowed = Math.max(abs, FLUSH) + rel * Math.abs(at(scale.data, index)) + rounding;
    const error = have === want ? 0 : Math.abs(have - want) / allowed;
    if (error > ratio || Number.isNaN(have)) {
      ratio = Number.isNaN(have) ? Infinity : error;
      line = `element ${index}: got ${have}, expected ${want} ± ${allowed}`;
    }
  }
  return { ratio, line };
}

/** Most elements of an input that are differentiated one by one; above, random directions. */
const MAX_ELEMENTS = 256;
const DIRECTIONS = 16;
const STEP = 1e-5;

/** φ(x) = Σ cotangent · reference(x), in float64. */
function objective(
  oracle: OpCases,
  inputs: readonly (Array64 | null)[],
  cotangents: readonly Array64[],
  attrs: Sample["attrs"],
): number {
  const outputs = oracle.reference(inputs, attrs ?? {});
  return cotangents.reduce(
    (total, cotangent, k) =>
      total +
      cotangent.data.reduce((sum, weight, n) => sum + weight * at(at(outputs, k).data, n), 0),
    0,
  );
}

/** Directions to differentiate along: unit vectors for small inputs, random ones for large. */
export function directions(size: number, seed: number): Float64Array[] {
  if (size <= MAX_ELEMENTS)
    return Array.from({ length: size }, (_, index) => {
      const unit = new Float64Array(size);
      unit[index] = 1;
      return unit;
    });
  const random = generator(seed);
  return Array.from({ length: DIRECTIONS }, () =>
    Float64Array.from({ length: size }, () => random() * 2 - 1),
  );
}

/** Directional derivatives of φ along each direction of input `which`, by central differences. */
export function differences(
  oracle: OpCases,
  inputs: readonly (Array64 | null)[],
  cotangents: readonly Array64[],
  attrs: Sample["attrs"],
  { which, along }: { which: number; along: readonly Float64Array[] },
): number[] {
  const base = at(inputs, which);
  if (!base) return [];
  const shifted = (direction: Float64Array, step: number): number => {
    const moved = array64(
      base.shape,
      base.data.map((value, n) => value + step * at(direction, n)),
    );
    const changed = inputs.map((input, index) => (index === which ? moved : input));
    return objective(oracle, changed, cotangents, attrs);
  };
  return along.map((direction) => {
    const plus = shifted(direction, STEP);
    const minus = shifted(direction, -STEP);
    return (plus - minus) / (2 * STEP);
  });
}
