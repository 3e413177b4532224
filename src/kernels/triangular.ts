/** Steps of blocked triangular algorithms, as statements on the state of src/linalg. */
import { choleskyFactor } from "../../shaders/choleskyFactor.wgsl.ts";
import { choleskyShared } from "../../shaders/choleskyShared.wgsl.ts";
import { triangularShared } from "../../shaders/triangularShared.wgsl.ts";
import { triangularSolve } from "../../shaders/triangularSolve.wgsl.ts";
import { TRIANGULAR_BLOCK } from "../util/blocks.ts";
import { ShapeError } from "../util/errors.ts";
import { at, ceilDiv, meta, sameShape } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import { defineOp, need } from "./op.ts";
import type { Caps, InputMetas, Pass, Plan, Slot } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, foldGrid, reads, u, writes } from "./pass.ts";

/** Lanes that share a column of a block where it is kept in workgroup memory, or columns then. */
const SHARED = 4;
/** Whether the adapter's workgroups are large enough to share columns. */
const canShare = ({ maxInvocations }: Caps): boolean => maxInvocations >= SHARED * TRIANGULAR_BLOCK;

/** GPUs let lanes share a column; software adapters are quicker with a lane a column, no barriers. */
const PREFER = { gpu: ["sharedColumns"] } as const;

/** Where a triangle lies, in elements, and which way it is substituted. */
interface Triangle {
  readonly slot: Slot;
  readonly size: number;
  readonly isForward: boolean;
  readonly first: number;
  readonly row: number;
  readonly col: number;
}

/** Where its right-hand sides lie, and how many there are. */
interface Sides {
  readonly cols: number;
  readonly first: number;
  readonly row: number;
}

/** X in place of B for T X = B; `first` is the triangle's first row in the whole matrix. */
function solvePass(
  triangle: Triangle,
  sides: Sides,
  slots: { readonly x: Slot; readonly flag: Slot; readonly first: number },
  isShared: boolean,
  caps: Caps,
): Pass {
  const { size } = triangle;
  return {
    label: `triangular solve [${size}, ${sides.cols}]`,
    code: isShared
      ? triangularShared({ side: TRIANGULAR_BLOCK, columns: SHARED })
      : triangularSolve({ workgroup: ELEMENT_WORKGROUP }),
    bindings: [...reads(triangle.slot), ...writes(slots.x, slots.flag)],
    params: [
      ...[size, sides.cols, slots.first, Number(triangle.isForward)],
      ...[triangle.first, triangle.row, triangle.col, sides.first, sides.row],
    ].map(u),
    grid: isShared ? foldGrid(ceilDiv(sides.cols, SHARED), caps) : elementGrid(sides.cols, caps),
    flops: size * size * sides.cols,
    bytes: 4 * size * (2 * sides.cols + size / 2),
  };
}

/** Checks a flag: the row at which a step failed. */
function checkFlag(op: string, name: string, inputs: InputMetas, index: number): void {
  const flag = needDtype(op, inputs, [index, name], "i32");
  if (!sameShape(flag.shape, [1]))
    throw new ShapeError(op, `${name} must be [1]`, { [name]: flag.shape });
}

/** The factor of the diagonal block, then the rows beside it. */
function panelPlan(inputs: InputMetas, first: number, isShared: boolean, caps: Caps): Plan {
  const { shape } = need(inputs, 0);
  const [size, cols] = [at(shape, 0), at(shape, 1)];
  const factor: Pass = {
    label: `cholesky factor [${size}, ${size}]`,
    code: isShared
      ? choleskyShared({ side: TRIANGULAR_BLOCK, groups: SHARED })
      : choleskyFactor({ lanes: TRIANGULAR_BLOCK }),
    bindings: writes("in0", "in1", "temp0"),
    params: [size, cols, first].map(u),
    grid: [1, 1, 1],
    flops: size ** 3 / 3,
    bytes: 16 * size * size,
  };
  // R₁₂ from R₁₁ᵀ R₁₂ = A₁₂
  const transposed = { size, isForward: true, first: 0, row: 1, col: size } as const;
  const solve = solvePass(
    { slot: "temp0", ...transposed },
    { cols: cols - size, first: size, row: cols },
    { x: "in0", flag: "in1", first },
    isShared,
    caps,
  );
  return { temps: [meta([size, size])], passes: cols > size ? [factor, solve] : [factor] };
}

/**
 * One step of a Cholesky factorisation: panel [B, M], the first B rows of what is left of the
 * matrix, becomes rows of R with A = Rᵀ R. pivot i32 [1] takes the index of the first row whose
 * pivot is not positive, `first` being that of the panel, if it was negative.
 */
export const choleskyPanel = defineOp({
  name: "choleskyPanel",
  inputs: ["panel", "pivot"],
  outputs: [],
  mutates: [0, 1],
  defaults: { first: 0 },
  infer(inputs) {
    const { shape } = needDtype("choleskyPanel", inputs, [0, "panel"]);
    const [rows = 0, cols = 0] = shape;
    if (shape.length !== 2 || rows < 1 || rows > TRIANGULAR_BLOCK || cols < rows)
      throw new ShapeError(
        "choleskyPanel",
        `panel must be [B, M] with 1 ≤ B ≤ ${TRIANGULAR_BLOCK} and B ≤ M`,
        { panel: shape },
      );
    checkFlag("choleskyPanel", "pivot", inputs, 1);
    return [];
  },
  variants: {
    blockPerWorkgroup: {
      usable: () => true,
      plan: (inputs, { first }, caps) => panelPlan(inputs, first, false, caps),
    },
    sharedColumns: {
      usable: (_inputs, _attrs, caps) => canShare(caps),
      plan: (inputs, { first }, caps) => panelPlan(inputs, first, true, caps),
    },
  },
  prefer: PREFER,
  grad: null, // a step of an algorithm with state; cholesky has no gradient
});

/** Which triangle of t, where its block begins, and whether it is transposed. */
type Block = Readonly<{ first: number; lower: boolean; transpose: boolean }>;
const firstBlock: Block = { first: 0, lower: true, transpose: false };

function blockPlan(
  inputs: InputMetas,
  { first, lower, transpose }: Block,
  isShared: boolean,
  caps: Caps,
): Plan {
  const side = at(need(inputs, 0).shape, 0);
  const { shape } = need(inputs, 1);
  const [size, cols] = [at(shape, 0), at(shape, 1)];
  const [row, col] = transpose ? [1, side] : [side, 1];
  const isForward = lower !== transpose;
  const pass = solvePass(
    { slot: "in0", size, isForward, first: first * (side + 1), row, col },
    { cols, first: 0, row: cols },
    { x: "in1", flag: "in2", first },
    isShared,
    caps,
  );
  return { temps: [], passes: cols > 0 ? [pass] : [] };
}

/**
 * One step of a blocked substitution: x [B, K] ← T⁻¹ x (T⁻ᵀ x with `transpose`), T being the lower
 * (or upper) triangle of the diagonal block of t [N, N] that begins at row `first`. singular i32 [1]
 * takes the first row met whose diagonal element is zero, if it was negative.
 */
export const triangularBlock = defineOp({
  name: "triangularBlock",
  inputs: ["t", "x", "singular"],
  outputs: [],
  mutates: [1, 2],
  defaults: firstBlock,
  infer(inputs, { first }) {
    const { shape: t } = needDtype("triangularBlock", inputs, [0, "t"]);
    const { shape: x } = needDtype("triangularBlock", inputs, [1, "x"]);
    const [size = 0] = x;
    if (t.length !== 2 || t[0] !== t[1])
      throw new ShapeError("triangularBlock", "t must be square", { t, x });
    if (x.length !== 2 || size < 1 || size > TRIANGULAR_BLOCK)
      throw new ShapeError("triangularBlock", `x must be [B, K] with 1 ≤ B ≤ ${TRIANGULAR_BLOCK}`, {
        t,
        x,
      });
    if (!Number.isInteger(first) || first < 0 || first + size > at(t, 0))
      throw new ShapeError("triangularBlock", `t has no block of ${size} at row ${first}`, {
        t,
        x,
      });
    checkFlag("triangularBlock", "singular", inputs, 2);
    return [];
  },
  variants: {
    columnPerLane: {
      usable: () => true,
      plan: (inputs, block, caps) => blockPlan(inputs, block, false, caps),
    },
    sharedColumns: {
      usable: (_inputs, _attrs, caps) => canShare(caps),
      plan: (inputs, block, caps) => blockPlan(inputs, block, true, caps),
    },
  },
  prefer: PREFER,
  grad: null, // a step of an algorithm with state; solveTriangular has no gradient
});
