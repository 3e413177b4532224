/** y = (x − mean) · rstd · weight + bias along the last axis, and its gradient. */
import { layernorm as layernormShader } from "../../shaders/layernorm.wgsl.ts";
import { layernormBackward as layernormBackwardShader } from "../../shaders/layernormBackward.wgsl.ts";
import { layernormCombine } from "../../shaders/layernormCombine.wgsl.ts";
import type { RowPackOptions } from "../../shaders/lib/rowPacks.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, ceilDiv, meta, sameShape, show } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";
import { defineOp, need } from "./op.ts";
import type { Attrs, Caps, InputMetas, Pass, Plan, Variant } from "./op.ts";
import { asRows, f, foldGrid, reads, u, writes } from "./pass.ts";
import { rowVariants } from "./rows.ts";
import type { RowLayout } from "./rows.ts";

/** Rows that a lane group takes with one load of weight and bias; GPUs need the parallelism more. */
const FORWARD_ROWS = { cpu: 8, gpu: 1 } as const;
/** Most partial sums of dweight and dbias: each is a lane group's own block of rows. */
const MAX_BLOCKS = { cpu: 128, gpu: 512 } as const;
/** Packs that a lane keeps in registers; beyond, compilers move the array to memory. */
const MAX_LANE_PACKS = 32;

const COMBINE = { columns: 32, segments: 8 } as const;

/** The layout's lanes over a row of `cols` floats: four at a time if that leaves no lane idle. */
function packOptions(layout: RowLayout, cols: number): RowPackOptions {
  return { ...layout, cols, width: cols % 4 === 0 && cols >= 4 * layout.lanes ? 4 : 1 };
}

const lanePacks = ({ cols, width, lanes }: RowPackOptions): number => ceilDiv(cols / width, lanes);

/** `rowVariants`, with the one of few lanes kept for rows that fit its registers. */
function registerVariants<A extends Attrs>(
  which: number,
  plan: (layout: RowLayout, inputs: InputMetas, attrs: A, caps: Caps) => Plan,
): { rowPerSubgroup: Variant<A>; rowPerWorkgroup: Variant<A> } {
  const variants = rowVariants(plan);
  const { rowPerSubgroup } = variants;
  const usable: Variant<A>["usable"] = (inputs, attrs, caps) => {
    if (!rowPerSubgroup.usable(inputs, attrs, caps)) return false;
    const { cols } = asRows(need(inputs, which).shape);
    const layout = { lanes: caps.subgroupMax, rowsPerWorkgroup: 1, subgroup: true };
    return lanePacks(packOptions(layout, cols)) <= MAX_LANE_PACKS;
  };
  return { ...variants, rowPerSubgroup: { ...rowPerSubgroup, usable } };
}

function checkRows(op: string, x: Meta, vectors: Readonly<Record<string, Meta>>): void {
  if (x.shape.length === 0) throw new ShapeError(op, "x needs at least 1 axis", { x: x.shape });
  for (const [name, { shape }] of Object.entries(vectors))
    if (shape.length !== 1 || at(shape, 0) !== at(x.shape, -1))
      throw new ShapeError(op, `${name} must match the last axis`, { x: x.shape, [name]: shape });
}

/** Layer normalisation of x [..., D] with weight [D] and bias [D]; the variance takes two passes. */
export const layernorm = defineOp({
  name: "layernorm",
  inputs: ["x", "weight", "bias"],
  outputs: ["y"],
  saves: ["mean", "rstd"],
  defaults: { eps: 1e-6 },
  infer(inputs) {
    const x = need(inputs, 0);
    checkRows("layernorm", x, { weight: need(inputs, 1), bias: need(inputs, 2) });
    const { rows } = asRows(x.shape);
    return [x, meta([rows]), meta([rows])];
  },
  variants: registerVariants<{ eps: number }>(0, (layout, inputs, attrs, caps) => {
    const { shape } = need(inputs, 0);
    const { rows, cols } = asRows(shape);
    const rowsEach = FORWARD_ROWS[caps.adapterClass];
    return {
      temps: [],
      passes: [
        {
          label: `layernorm y ${show(shape)}`,
          code: layernormShader(packOptions(layout, cols)),
          bindings: [...reads("in0", "in1", "in2"), ...writes("out0", "out1", "out2")],
          params: [u(rows), u(rowsEach), f(attrs.eps)],
          grid: foldGrid(ceilDiv(rows, rowsEach * layout.rowsPerWorkgroup), caps),
          flops: 8 * rows * cols,
          bytes: 8 * rows * cols,
        },
      ],
    };
  }),
  // y = x̂·w + b with x̂ = (x − m)·r, r = (var + eps)^(−1/2):
  // dw = Σ g·x̂, db = Σ g; with gw = g·w, dm/dx = 1/D and dr/dx = −r²·x̂/D:
  // dx = r · (gw − Σ gw / D − x̂ · Σ gw·x̂ / D)
  grad: ([g], { inputs: [x, weight], saved: [mean, rstd] }, ops) =>
    g && x && weight && mean && rstd ? ops.layernormBackward(g, x, weight, mean, rstd) : [],
});

function combinePass(blocks: number, cols: number, caps: Caps): Pass {
  return {
    label: `layernormBackward dweight, dbias [${cols}]`,
    code: layernormCombine(COMBINE),
    bindings: [...reads("temp0"), ...writes("out1", "out2")],
    params: [u(blocks), u(cols)],
    grid: foldGrid(ceilDiv(2 * cols, COMBINE.columns), caps),
    flops: 2 * blocks * cols,
    bytes: 8 * blocks * cols,
  };
}

/** The gradients of layernorm: dx [..., D], dweight [D], dbias [D]; g and x are read once. */
export const layernormBackward = defineOp({
  name: "layernormBackward",
  inputs: ["g", "x", "weight", "mean", "rstd"],
  outputs: ["dx", "dweight", "dbias"],
  defaults: {},
  infer(inputs) {
    const g = need(inputs, 0);
    const x = need(inputs, 1);
    const weight = need(inputs, 2);
    checkRows("layernormBackward", x, { weight });
    if (!sameShape(g.shape, x.shape))
      throw new ShapeError("layernormBackward", "g and x must have one shape", {
        g: g.shape,
        x: x.shape,
      });
    return [x, weight, weight];
  },
  variants: registerVariants(1, (layout, inputs, _attrs, caps) => {
    const { shape } = need(inputs, 1);
    const { rows, cols } = asRows(shape);
    const rowsEach = Math.max(1, ceilDiv(rows, MAX_BLOCKS[caps.adapterClass]));
    const blocks = ceilDiv(rows, rowsEach);
    const main: Pass = {
      label: `layernormBackward dx ${show(shape)}`,
      code: layernormBackwardShader(packOptions(layout, cols)),
      bindings: [...reads("in0", "in1", "in2", "in3", "in4"), ...writes("out0", "temp0")],
      params: [u(rows), u(rowsEach)],
      grid: foldGrid(ceilDiv(blocks, layout.rowsPerWorkgroup), caps),
      flops: 16 * rows * cols,
      bytes: 12 * rows * cols,
    };
    return {
      temps: [meta([Math.max(1, blocks), 2, cols])],
      // Without rows there is nothing to bind; the sums over nothing are zeros.
      passes: [...(rows > 0 ? [main] : []), combinePass(blocks, cols, caps)],
    };
  }),
  grad: null, // second derivatives are not needed by any user of the engine
});
