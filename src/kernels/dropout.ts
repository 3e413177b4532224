/** Dropout of elements and of whole samples; the backward draws the same mask again. */
import { dropPath as dropPathShader } from "../../shaders/dropPath.wgsl.ts";
import { dropPathFactors } from "../../shaders/dropPathFactors.wgsl.ts";
import { dropout as dropoutShader } from "../../shaders/dropout.wgsl.ts";
import { philox } from "../../shaders/lib/philox.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, ceilDiv, meta, show, sizeOf } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";
import { needFloat } from "./check.ts";
import { defineOp, need } from "./op.ts";
import type { Param, Pass } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, f, reads, u, uniforms, writes } from "./pass.ts";

/** Random words take 2^32 values. */
const WORD_VALUES = 2 ** 32;

/**
 * Checks a rate and the key, u32 [4]: seed and step, low words first.
 * @throws ShapeError naming the one that is wrong.
 */
export function checkRandom(op: string, key: Meta, rate: number): void {
  if (!(rate >= 0 && rate < 1)) throw new ShapeError(op, `rate must be in [0, 1), not ${rate}`);
  if (key.dtype !== "u32" || sizeOf(key.shape) !== 4)
    throw new ShapeError(op, "key must be 4 u32: seed and step, low words first", {
      key: key.shape,
    });
}

/** Params of a kernel that draws: stream, threshold of the random words, factor of what stays. */
export const drawParams = (rate: number, stream: number): Param[] => [
  u(stream),
  u(Math.min(Math.round(rate * WORD_VALUES), WORD_VALUES - 1)),
  f(1 / (1 - rate)),
];

/** Dropout of a Value for other kernels; `at` counts Values, a block of random words is 4 elements. */
const DROPOUT_STAGE = {
  1: `fn dropout_stage(
  x: Value, key: vec4u, stream: u32, threshold: u32, scale: f32, at: u32
) -> Value {
  let bits = random_bits(key, stream, at / 4u);
  return x * select(0.0, scale, bits[at % 4u] >= threshold);
}`,
  4: `fn dropout_stage(
  x: Value, key: vec4u, stream: u32, threshold: u32, scale: f32, at: u32
) -> Value {
  let bits = random_bits(key, stream, at);
  return x * select(vec4f(0.0), vec4f(scale), bits >= vec4u(threshold));
}`,
} as const;

/**
 * y = x / (1 − rate) where the element's random word is at least rate · 2^32, else 0. The words are
 * those of `stream` under key u32 [4] (seed and step, low words first).
 */
export const dropout = defineOp({
  name: "dropout",
  inputs: ["x", "key"],
  outputs: ["y"],
  halves: ["x"],
  defaults: { rate: 0, stream: 0 },
  infer(inputs, { rate }) {
    checkRandom("dropout", need(inputs, 1), rate);
    return [needFloat("dropout", inputs, [0, "x"])];
  },
  variants: {
    block: {
      usable: () => true,
      plan(inputs, { rate, stream }, caps) {
        const { shape, dtype } = need(inputs, 0);
        const isHalf = dtype === "f16";
        const size = sizeOf(shape);
        const pass: Pass = {
          label: `dropout y ${show(shape)}`,
          code: dropoutShader({ workgroup: ELEMENT_WORKGROUP, isWhole: size % 4 === 0, isHalf }),
          bindings: [...reads("in0"), ...uniforms("in1"), ...writes("out0")],
          params: [u(size), ...drawParams(rate, stream)],
          grid: elementGrid(ceilDiv(size, 4), caps),
          flops: size,
          bytes: (isHalf ? 4 : 8) * size,
          stage: {
            name: "dropout",
            count: size,
            isHalf,
            operands: [
              { kind: "full", count: size, isHalf },
              { kind: "key", count: 4 },
            ],
            words: drawParams(rate, stream),
            isIndexed: true,
            blocks: (width) => [philox, DROPOUT_STAGE[width]],
          },
        };
        return { temps: [], passes: [pass] };
      },
    },
  },
  // y = mask · x: the same mask on g, drawn again from the same stream
  grad: ([g], { inputs: [, key], attrs }, ops) => [
    g && key ? ops.dropout(g, key, attrs) : null,
    null,
  ],
});

/** Stochastic depth: dropout of whole samples (the first axis); the others are scaled up. */
export const dropPath = defineOp({
  name: "dropPath",
  inputs: ["x", "key"],
  outputs: ["y"],
  defaults: { rate: 0, stream: 0 },
  infer(inputs, { rate }) {
    const x = need(inputs, 0);
    if (x.shape.length === 0)
      throw new ShapeError("dropPath", "x needs at least 1 axis", { x: x.shape });
    checkRandom("dropPath", need(inputs, 1), rate);
    return [x];
  },
  variants: {
    element: {
      usable: () => true,
      plan(inputs, { rate, stream }, caps) {
        const { shape } = need(inputs, 0);
        const samples = at(shape, 0);
        const size = sizeOf(shape);
        const factors = {
          label: `dropPath factors [${samples}]`,
          code: dropPathFactors({ workgroup: ELEMENT_WORKGROUP }),
          bindings: [...uniforms("in1"), ...writes("temp0")],
          params: [u(samples), ...drawParams(rate, stream)],
          grid: elementGrid(samples, caps),
        };
        const product = {
          label: `dropPath y ${show(shape)}`,
          code: dropPathShader({ workgroup: ELEMENT_WORKGROUP }),
          bindings: [...reads("in0", "temp0"), ...writes("out0")],
          params: [u(size), u(size / samples)],
          grid: elementGrid(size, caps),
          flops: size,
          bytes: 8 * size,
        };
        return { temps: [meta([samples])], passes: [factors, product] };
      },
    },
  },
  // y = factor · x, sample by sample: the same factors on g
  grad: ([g], { inputs: [, key], attrs }, ops) => [
    g && key ? ops.dropPath(g, key, attrs) : null,
    null,
  ],
});
