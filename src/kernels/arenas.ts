/** Global-norm clipping, accumulation and averages over flat arenas. */
import { clipScale as clipScaleShader } from "../../shaders/clipScale.wgsl.ts";
import { inPlace } from "../../shaders/inPlace.wgsl.ts";
import { squaredNorm as squaredNormShader } from "../../shaders/squaredNorm.wgsl.ts";
import { ceilDiv, meta, sizeOf } from "../util/shape.ts";
import { arenaVariants, arenaWidth, checkArenas, checkScalars } from "./arena.ts";
import { defineOp, need } from "./op.ts";
import type { Pass } from "./op.ts";
import { f, foldGrid, reads, u, writes } from "./pass.ts";

/** Lanes of a workgroup that adds squares up. */
const NORM_WORKGROUP = 64;
/** Most partial sums: the last pass is one workgroup. */
const MAX_PARTIALS = 512;

/** Σ x² as [1], in two passes of fixed order. */
export const squaredNorm = defineOp({
  name: "squaredNorm",
  inputs: ["x"],
  outputs: ["y"],
  defaults: {},
  infer: () => [meta([1])],
  variants: {
    tree: {
      usable: () => true,
      plan(inputs, _attrs, caps) {
        const size = sizeOf(need(inputs, 0).shape);
        const width = arenaWidth(size);
        const packs = size / width;
        const turns = Math.max(1, ceilDiv(packs, NORM_WORKGROUP * MAX_PARTIALS));
        const partials = Math.max(1, ceilDiv(packs, NORM_WORKGROUP * turns));
        const squares: Pass = {
          label: `squaredNorm partials [${partials}]`,
          code: squaredNormShader({ workgroup: NORM_WORKGROUP, width, isSum: false }),
          bindings: [...reads("in0"), ...writes("temp0")],
          params: [u(packs), u(turns), u(partials)],
          grid: foldGrid(partials, caps),
          flops: 2 * size,
          bytes: 4 * size,
        };
        const total: Pass = {
          label: "squaredNorm y [1]",
          code: squaredNormShader({ workgroup: NORM_WORKGROUP, width: 1, isSum: true }),
          bindings: [...reads("temp0"), ...writes("out0")],
          params: [u(size > 0 ? partials : 0), u(ceilDiv(partials, NORM_WORKGROUP)), u(1)],
          grid: [1, 1, 1],
          flops: partials,
          bytes: 4 * partials,
        };
        return { temps: [meta([partials])], passes: size > 0 ? [squares, total] : [total] };
      },
    },
  },
  // dx = 2 x g
  grad: ([g], { inputs: [x] }, ops) => [g && x ? ops.mul(ops.affine(x, { scale: 2 }), g) : null],
});

/** The factor of global-norm clipping from the squared norm [1]: min(1, maxNorm / (norm + 1e-6)). */
export const clipScale = defineOp({
  name: "clipScale",
  inputs: ["squaredNorm"],
  outputs: ["y"],
  defaults: { maxNorm: 1 },
  infer(inputs) {
    checkScalars("clipScale", inputs, { squaredNorm: [0, 1] });
    return [meta([1])];
  },
  variants: {
    single: {
      usable: () => true,
      plan: (_inputs, { maxNorm }) => ({
        temps: [],
        passes: [
          {
            label: "clipScale y [1]",
            code: clipScaleShader(),
            bindings: [...reads("in0"), ...writes("out0")],
            params: [f(maxNorm)],
            grid: [1, 1, 1],
          },
        ],
      }),
    },
  },
  grad: null, // clipping acts on gradients, after the backward
});

/** total ← total + scale·x, in place: how micro-batches accumulate. */
export const addInPlace = defineOp({
  name: "addInPlace",
  inputs: ["total", "x"],
  outputs: [],
  mutates: [0],
  defaults: { scale: 1 },
  infer(inputs) {
    checkArenas("addInPlace", inputs, { total: 0, x: 1 });
    return [];
  },
  variants: arenaVariants<{ scale: number }>("addInPlace", {
    code: (options) => inPlace({ ...options, hasOperand: true }),
    bindings: () => [...writes("in0"), ...reads("in1")],
    params: ({ scale }) => [f(1), f(scale)],
    flops: 2,
    floats: 3,
  }),
  grad: null, // a statement, not a value
});

/** average ← decay·average + (1 − decay)·param, in place. */
export const ema = defineOp({
  name: "ema",
  inputs: ["average", "param"],
  outputs: [],
  mutates: [0],
  defaults: { decay: 0.999 },
  infer(inputs) {
    checkArenas("ema", inputs, { average: 0, param: 1 });
    return [];
  },
  variants: arenaVariants<{ decay: number }>("ema", {
    code: (options) => inPlace({ ...options, hasOperand: true }),
    bindings: () => [...writes("in0"), ...reads("in1")],
    params: ({ decay }) => [f(decay), f(1 - decay)],
    flops: 3,
    floats: 3,
  }),
  grad: null, // a statement, not a value
});

/** x ← value everywhere, in place. */
export const fill = defineOp({
  name: "fill",
  inputs: ["x"],
  outputs: [],
  mutates: [0],
  defaults: { value: 0 },
  infer(inputs) {
    need(inputs, 0);
    return [];
  },
  variants: arenaVariants<{ value: number }>("fill", {
    code: (options) => inPlace({ ...options, hasOperand: false }),
    bindings: () => writes("in0"),
    params: ({ value }) => [f(0), f(value)],
    flops: 0,
    floats: 1,
  }),
  grad: null, // a statement, not a value
});
