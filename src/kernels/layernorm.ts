/** y = (x − mean) · rstd · weight + bias along the last axis, and its gradient. */
import { layernorm as layernormShader } from "../../shaders/layernorm.wgsl.ts";
import { layernormBackward as layernormBackwardShader } from "../../shaders/layernormBackward.wgsl.ts";
import { layernormBackwardWide } from "../../shaders/layernormBackwardWide.wgsl.ts";
import { layernormCombine } from "../../shaders/layernormCombine.wgsl.ts";
import { layernormWide } from "../../shaders/layernormWide.wgsl.ts";
import type { WideRowOptions } from "../../shaders/layernormWide.wgsl.ts";
import type { Epilogue } from "../../shaders/lib/epilogue.wgsl.ts";
import type { PackWidth } from "../../shaders/lib/pack.wgsl.ts";
import type { RowPackOptions } from "../../shaders/lib/rowPacks.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at, ceilDiv, meta, sameShape, show, sizeOf, type Meta } from "../util/shape.ts";
import { defineOp, need } from "./op.ts";
import type { Attrs, Caps, InputMetas, Pass, Plan, Variant } from "./op.ts";
import { asRows, f, fixedSubgroup, foldGrid, reads, u, writes } from "./pass.ts";
import { rowVariants } from "./rows.ts";
import type { RowLayout } from "./rows.ts";

/** Rows that a lane group takes with one load of weight and bias; GPUs need the parallelism more. */
const FORWARD_ROWS = { cpu: 8, gpu: 1 } as const;
/** Most partial sums of dweight and dbias: each is a lane group's own block of rows. */
const MAX_BLOCKS = { cpu: 128, gpu: 512 } as const;
/**
 * Packs that a lane keeps in registers. Software adapters unroll them into so much code that 24
 * take half a minute to compile; GPUs move an array to memory when it grows beyond this.
 */
const MAX_LANE_PACKS = { cpu: 4, gpu: 32 } as const;
/** Rows at once where rows are wide. */
const WIDE_ROWS = 4;
/** Lanes of a workgroup where rows are wide. */
const WIDE_WORKGROUP = 64;

const COMBINE = { columns: 32, segments: 8 } as const;

/** Four floats at a time if that leaves no lane idle. */
const packWidth = (cols: number, lanes: number): PackWidth =>
  cols % 4 === 0 && cols >= 4 * lanes ? 4 : 1;

const packOptions = (layout: RowLayout, cols: number): RowPackOptions => ({
  ...layout,
  cols,
  width: packWidth(cols, layout.lanes),
});

/** The two plans of an op: rows in registers, and rows that are read again instead. */
interface Plans<A> {
  /** Which input has the rows. */
  readonly rowsOf: number;
  readonly narrow: (layout: RowLayout, inputs: InputMetas, attrs: A, caps: Caps) => Plan;
  readonly wide: (options: WideRowOptions, inputs: InputMetas, attrs: A, caps: Caps) => Plan;
}

/** `rowVariants` with rows in registers while they fit, and `rowsPerSubgroup` for wide rows. */
function registerVariants<A extends Attrs>({
  rowsOf,
  narrow,
  wide,
}: Plans<A>): Readonly<
  Record<"rowPerSubgroup" | "rowsPerSubgroup" | "rowPerWorkgroup", Variant<A>>
> {
  const { rowPerSubgroup, rowPerWorkgroup } = rowVariants(narrow);
  const colsOf = (inputs: InputMetas): number => asRows(need(inputs, rowsOf).shape).cols;
  const fits: Variant<A>["usable"] = (inputs, attrs, caps) => {
    if (!rowPerSubgroup.usable(inputs, attrs, caps)) return false;
    const lanes = fixedSubgroup(caps);
    const cols = colsOf(inputs);
    const packs = cols / packWidth(cols, lanes);
    return ceilDiv(packs, lanes) <= MAX_LANE_PACKS[caps.adapterClass];
  };
  const rowsPerSubgroup: Variant<A> = {
    usable: (_inputs, _attrs, caps) => fixedSubgroup(caps) > 0,
    plan: (inputs, attrs, caps) => {
      const lanes = fixedSubgroup(caps);
      const options: WideRowOptions = {
        lanes,
        subgroupsPerWorkgroup: Math.max(1, WIDE_WORKGROUP / lanes),
        width: packWidth(colsOf(inputs), lanes),
        rowsAtOnce: WIDE_ROWS,
      };
      return wide(options, inputs, attrs, caps);
    },
  };
  return { rowPerSubgroup: { ...rowPerSubgroup, usable: fits }, rowsPerSubgroup, rowPerWorkgroup };
}

function checkRows(op: string, x: Meta, vectors: Readonly<Record<string, Meta>>): void {
  if (x.shape.length === 0) throw new ShapeError(op, "x needs at least 1 axis", { x: x.shape });
  for (const [name, { shape }] of Object.entries(vectors))
    if (shape.length !== 1 || at(shape, 0) !== at(x.shape, -1))
      throw new ShapeError(op, `${name} must match the last axis`, { x: x.shape, [name]: shape });
}

/** The main kernel of a plan, by the epilogue of its rows. */
interface RowKernel extends Pick<Pass, "params" | "grid"> {
  readonly width: PackWidth;
  readonly code: (epilogue?: { epilogue: Epilogue }) => string;
}

function forwardPlan(inputs: InputMetas, { width, code, ...dispatch }: RowKernel): Plan {
  const { shape } = need(inputs, 0);
  const pass: Pass = {
    ...dispatch,
    code: code(),
    label: `layernorm y ${show(shape)}`,
    bindings: [...reads("in0", "in1", "in2"), ...writes("out0", "out1", "out2")],
    flops: 8 * sizeOf(shape),
    bytes: 8 * sizeOf(shape),
    isCheap: true,
    tail: {
      binding: 3,
      name: "y",
      count: sizeOf(shape),
      width,
      code: (epilogue) => code({ epilogue }),
    },
  };
  return { temps: [], passes: [pass] };
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
  variants: registerVariants<{ eps: number }>({
    rowsOf: 0,
    narrow: (layout, inputs, attrs, caps) => {
      const rowsEach = FORWARD_ROWS[caps.adapterClass];
      const { rows, cols } = asRows(need(inputs, 0).shape);
      const options = packOptions(layout, cols);
      return forwardPlan(inputs, {
        width: options.width,
        code: (epilogue) => layernormShader({ ...options, ...epilogue }),
        params: [u(rows), u(rowsEach), f(attrs.eps)],
        grid: foldGrid(ceilDiv(rows, rowsEach * layout.rowsPerWorkgroup), caps),
      });
    },
    wide: (options, inputs, attrs, caps) => {
      const { rows, cols } = asRows(need(inputs, 0).shape);
      return forwardPlan(inputs, {
        width: options.width,
        code: (epilogue) => layernormWide({ ...options, ...epilogue }),
        params: [u(rows), u(cols / options.width), f(attrs.eps)],
        grid: foldGrid(ceilDiv(rows, options.rowsAtOnce * options.subgroupsPerWorkgroup), caps),
      });
    },
  }),
  // y = x̂·w + b with x̂ = (x − m)·r, r = (var + eps)^(−1/2):
  // dw = Σ g·x̂, db = Σ g; with gw = g·w, dm/dx = 1/D and dr/dx = −r²·x̂/D:
  // dx = r · (gw − Σ gw / D − x̂ · Σ gw·x̂ / D)
  grad: ([g], { inputs: [x, weight], saved: [mean, rstd] }, ops) =>
    g && x && weight && mean && rstd ? ops.layernormBackward(g, x, weight, mean, rstd) : [],
});

function backwardPlan(
  inputs: InputMetas,
  blocks: number,
  { width, code, ...dispatch }: RowKernel,
  caps: Caps,
): Plan {
  const { shape } = need(inputs, 1);
  const { rows, cols } = asRows(shape);
  const main: Pass = {
    ...dispatch,
    code: code(),
    label: `layernormBackward dx ${show(shape)}`,
    bindings: [...reads("in0", "in1", "in2", "in3", "in4"), ...writes("out0", "temp0")],
    flops: 16 * rows * cols,
    bytes: 12 * rows * cols,
    tail: {
      binding: 5,
      name: "dx",
      count: rows * cols,
      width,
      code: (epilogue) => code({ epilogue }),
    },
  };
  const combine: Pass = {
    label: `layernormBackward dweight, dbias [${cols}]`,
    code: layernormCombine(COMBINE),
    bindings: [...reads("temp0"), ...writes("out1", "out2")],
    params: [u(blocks), u(cols)],
    grid: foldGrid(ceilDiv(2 * cols, COMBINE.columns), caps),
    flops: 2 * blocks * cols,
    bytes: 8 * blocks * cols,
  };
  return {
    temps: [meta([Math.max(1, blocks), 2, cols])],
    // Without rows there is nothing to bind; the sums over nothing are zeros.
    passes: rows > 0 ? [main, combine] : [combine],
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
  variants: registerVariants({
    rowsOf: 1,
    narrow: (layout, inputs, _attrs, caps) => {
      const { rows, cols } = asRows(need(inputs, 1).shape);
      const rowsEach = Math.max(1, ceilDiv(rows, MAX_BLOCKS[caps.adapterClass]));
      const blocks = ceilDiv(rows, rowsEach);
      const options = packOptions(layout, cols);
      const kernel: RowKernel = {
        width: options.width,
        code: (epilogue) => layernormBackwardShader({ ...options, ...epilogue }),
        params: [u(rows), u(rowsEach)],
        grid: foldGrid(ceilDiv(blocks, layout.rowsPerWorkgroup), caps),
      };
      return backwardPlan(inputs, blocks, kernel, caps);
    },
    wide: (options, inputs, _attrs, caps) => {
      const { rows, cols } = asRows(need(inputs, 1).shape);
      const { rowsAtOnce, subgroupsPerWorkgroup } = options;
      const turns = Math.max(1, ceilDiv(rows, MAX_BLOCKS[caps.adapterClass] * rowsAtOnce));
      const blocks = ceilDiv(rows, turns * rowsAtOnce);
      const kernel: RowKernel = {
        width: options.width,
        code: (epilogue) => layernormBackwardWide({ ...options, ...epilogue }),
        params: [u(rows), u(cols / options.width), u(turns)],
        grid: foldGrid(ceilDiv(blocks, subgroupsPerWorkgroup), caps),
      };
      return backwardPlan(inputs, blocks, kernel, caps);
    },
  }),
  grad: null, // second derivatives are not needed by any user of the engine
});
