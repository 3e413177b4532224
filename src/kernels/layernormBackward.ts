/** The gradient of layernorm: rows for dx, and sums over all rows for dweight and dbias. */
import { layernormBackward as layernormBackwardShader } from "../../shaders/layernormBackward.wgsl.ts";
import { layernormBackwardWide } from "../../shaders/layernormBackwardWide.wgsl.ts";
import { layernormCombine } from "../../shaders/layernormCombine.wgsl.ts";
import type { LayernormCombineOptions } from "../../shaders/layernormCombine.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { ceilDiv, meta, sameShape, show } from "../util/shape.ts";
import { checkRows, packOptions, registerVariants } from "./layernorm-layout.ts";
import type { RowKernel } from "./layernorm-layout.ts";
import { defineOp, need } from "./op.ts";
import type { Attrs, Caps, InputMetas, Pass, Plan, Variant } from "./op.ts";
import { asRows, fixedSubgroup, foldGrid, reads, u, writes } from "./pass.ts";
import type { RowLayout } from "./rows.ts";

/** Most partial sums of dweight and dbias: each is a lane group's own block of rows. */
const MAX_BLOCKS = { cpu: 128, gpu: 512 } as const;
/** Lanes of a workgroup whose subgroups add up their sums. */
const SHARED_WORKGROUP = 256;
/** Most of its blocks: two for each of a large GPU's 132 multiprocessors, 8 for a lane to combine. */
const MAX_SHARED_BLOCKS = 256;

/** Rows at once where rows are wide: each turn reads and writes the sums of its block once more. */
const WIDE_ROWS = 4;

/** GPUs read 8 neighbouring floats as quickly as one, and want many lanes that wait at once. */
const COMBINE = {
  cpu: { columns: 32, segments: 8, atOnce: 1 },
  gpu: { columns: 8, segments: 32, atOnce: 4 },
} as const satisfies Record<Caps["adapterClass"], LayernormCombineOptions>;

/** The blocks of rows of a plan, and how their sums are combined. */
interface Blocks {
  readonly count: number;
  readonly combine: LayernormCombineOptions;
}

function backwardPlan(
  inputs: InputMetas,
  blocks: Blocks,
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
    code: layernormCombine(blocks.combine),
    bindings: [...reads("temp0"), ...writes("out1", "out2")],
    params: [u(blocks.count), u(cols)],
    grid: foldGrid(ceilDiv(2 * cols, blocks.combine.columns), caps),
    flops: 2 * blocks.count * cols,
    bytes: 8 * blocks.count * cols,
  };
  return {
    temps: [meta([Math.max(1, blocks.count), 2, cols])],
    // Without rows there is nothing to bind; the sums over nothing are zeros.
    passes: rows > 0 ? [main, combine] : [combine],
  };
}

/** The plan with rows in registers. */
function narrowPlan(layout: RowLayout, sharesSums: boolean, inputs: InputMetas, caps: Caps): Plan {
  const { rows, cols } = asRows(need(inputs, 1).shape);
  const groups = sharesSums ? layout.rowsPerWorkgroup : 1; // lane groups of a block
  const mostBlocks = sharesSums ? MAX_SHARED_BLOCKS : MAX_BLOCKS[caps.adapterClass];
  const rowsEach = Math.max(1, ceilDiv(rows, groups * mostBlocks));
  const count = ceilDiv(rows, groups * rowsEach);
  const options = { ...packOptions(layout, cols), sharesSums };
  const kernel: RowKernel = {
    width: options.width,
    code: (epilogue) => layernormBackwardShader({ ...options, ...epilogue }),
    params: [u(rows), u(rowsEach)],
    grid: foldGrid(ceilDiv(count * groups, layout.rowsPerWorkgroup), caps),
  };
  const combine = COMBINE[sharesSums ? "gpu" : caps.adapterClass];
  return backwardPlan(inputs, { count, combine }, kernel, caps);
}

const variants = registerVariants<Attrs>({
  rowsOf: 1,
  rowsAtOnce: WIDE_ROWS,
  narrow: (layout, inputs, _attrs, caps) => narrowPlan(layout, false, inputs, caps),
  wide: (options, inputs, _attrs, caps) => {
    const { rows, cols } = asRows(need(inputs, 1).shape);
    const { rowsAtOnce, subgroupsPerWorkgroup } = options;
    const turns = Math.max(1, ceilDiv(rows, MAX_BLOCKS[caps.adapterClass] * rowsAtOnce));
    const count = ceilDiv(rows, turns * rowsAtOnce);
    const kernel: RowKernel = {
      width: options.width,
      code: (epilogue) => layernormBackwardWide({ ...options, ...epilogue }),
      params: [u(rows), u(cols / options.width), u(turns)],
      grid: foldGrid(ceilDiv(count, subgroupsPerWorkgroup), caps),
    };
    return backwardPlan(inputs, { count, combine: COMBINE[caps.adapterClass] }, kernel, caps);
  },
});

/**
 * `rowPerSubgroup` for GPUs, which fill up with a row or two of each subgroup: the workgroup adds
 * up its subgroups' sums, so that there are no more blocks to combine for it.
 */
const sharedSums: Variant<Attrs> = {
  usable: (inputs, attrs, caps) =>
    variants.rowPerSubgroup.usable(inputs, attrs, caps) &&
    caps.maxInvocations >= SHARED_WORKGROUP &&
    2 * fixedSubgroup(caps) <= SHARED_WORKGROUP,
  plan: (inputs, _attrs, caps) => {
    const lanes = fixedSubgroup(caps);
    const layout = { lanes, rowsPerWorkgroup: SHARED_WORKGROUP / lanes, subgroup: true };
    return narrowPlan(layout, true, inputs, caps);
  },
};

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
  variants: { ...variants, sharedSums },
  prefer: { gpu: ["sharedSums"] },
  grad: null, // second derivatives are not needed by any user of the engine
});
