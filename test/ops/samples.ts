/** Turns the samples of the op table into numbers: seeded, f32-rounded, the same everywhere. */
import type { Array64, InputSpec, Sample } from "../../src/kernels/case.ts";
import { array64 } from "../../src/kernels/case.ts";
import type { HostArray } from "../../src/engine/index.ts";
import { decodeFloat16, encodeFloat16 } from "../../src/util/float16.ts";
import { show, sizeOf } from "../../src/util/shape.ts";
import type { DType } from "../../src/util/shape.ts";

/** A small seeded generator (mulberry32); only for test inputs. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The nearest f16. */
const roundToHalf = (value: number): number =>
  decodeFloat16(encodeFloat16(Float32Array.of(value)))[0] ?? Number.NaN;

/** The nearest number that a dtype can hold; integers are given as such. */
function held(value: number, dtype: DType = "f32"): number {
  if (dtype === "f16") return roundToHalf(value);
  return dtype === "f32" ? Math.fround(value) : value;
}

/** A value in an input's range, as its dtype can hold it. */
export function drawValue(spec: InputSpec, random: () => number): number {
  const [low, high] = spec.range ?? [-1, 1];
  const value = low + (high - low) * random();
  const isWhole = spec.dtype === "i32" || spec.dtype === "u32";
  return isWhole ? Math.floor(value) : held(value, spec.dtype);
}

/** The inputs of a sample as float64 arrays holding values of their dtypes. */
export function materialise(sample: Sample, seed: number): (Array64 | null)[] {
  const random = generator(seed);
  return sample.inputs.map((spec) => {
    if (!spec) return null;
    const values = spec.values
      ? spec.values.map((value) => held(value, spec.dtype))
      : Array.from({ length: sizeOf(spec.shape) }, () => drawValue(spec, random));
    return array64(spec.shape, values);
  });
}

/** The typed array that uploads an input. */
export function hostArray(spec: InputSpec, values: Float64Array): HostArray {
  switch (spec.dtype ?? "f32") {
    case "f32":
      return Float32Array.from(values);
    case "f16":
      return encodeFloat16(Float32Array.from(values));
    case "i32":
      return Int32Array.from(values);
    case "u32":
      return Uint32Array.from(values);
  }
}

/** `softmax [3, 257] {…}`, as test titles. */
export function title(name: string, sample: Sample): string {
  const shapes = sample.inputs
    .map((spec) => (spec ? `${show(spec.shape)}${spec.dtype === "f16" ? " f16" : ""}` : "–"))
    .join(" ");
  const attrs = sample.attrs ? ` ${JSON.stringify(sample.attrs)}` : "";
  return `${name} ${shapes}${attrs}`;
}
