/** Makes an op of every row of the unary table, and the one backward that they share. */
import { unary as unaryShader } from "../../shaders/unary.wgsl.ts";
import { unaryBackward as unaryBackwardShader } from "../../shaders/unaryBackward.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { sameShape, show, sizeOf } from "../util/shape.ts";
import { needDtype, needFloat } from "./check.ts";
import type { NoAttrs } from "./check.ts";
import { flatWidth } from "./layout.ts";
import { defineOp, need } from "./op.ts";
import type { OpDef, Stage } from "./op.ts";
import { reads, sweepGrid, sweepOptions, u, writes } from "./pass.ts";
import { isUnaryName, unaryRows } from "./unary.table.ts";
import type { UnaryName, UnaryRow } from "./unary.table.ts";

type UnaryOp = OpDef<NoAttrs, readonly ["x"], readonly ["y"]>;

/** A row's function under the name that the shaders call. */
const applyText = (uses: string, text: string, name: string): string =>
  [uses, text, `fn apply(x: f32) -> f32 {\n  return ${name}(x);\n}`].filter(Boolean).join("\n");

/** A row's function, f32 to f32, on each element of a Value. */
const onValue = (width: 1 | 4, name: string): string =>
  width === 4
    ? `Value(${["x", "y", "z", "w"].map((axis) => `${name}(x.${axis})`).join(", ")})`
    : `${name}(x)`;

/** What a call's stage depends on besides its row. */
interface Call {
  readonly count: number;
  /** x is stored as f16. */
  readonly isHalf: boolean;
}

/** The row as a stage of other kernels. */
const forwardStage = (name: UnaryName, row: UnaryRow, { count, isHalf }: Call): Stage => ({
  name,
  count,
  operands: [{ kind: "full", count, isHalf }],
  isHalf,
  words: [],
  blocks: (width) => [
    row.uses ?? "",
    row.wgsl,
    `fn ${name}_stage(x: Value) -> Value {\n  return ${onValue(width, `${name}_`)};\n}`,
  ],
});

const backwardStage = (name: string, row: UnaryRow, { count, isHalf }: Call): Stage => ({
  name: `${name}Backward`,
  count,
  operands: [
    { kind: "full", count },
    { kind: "full", count, isHalf },
  ],
  words: [],
  blocks: (width) => [
    row.uses ?? "",
    row.slope,
    `fn ${name}Backward_stage(g: Value, x: Value) -> Value {\n  return g * ${onValue(width, `${name}_slope`)};\n}`,
  ],
});

function unaryOp(name: UnaryName, row: UnaryRow): UnaryOp {
  const apply = applyText(row.uses ?? "", row.wgsl, `${name}_`);
  return defineOp({
    name,
    inputs: ["x"],
    outputs: ["y"],
    halves: ["x"],
    defaults: {},
    infer: (inputs) => [needFloat(name, inputs, [0, "x"])],
    variants: {
      elementwise: {
        usable: () => true,
        plan(inputs, _attrs, caps) {
          const { shape, dtype } = need(inputs, 0);
          const isHalf = dtype === "f16";
          const count = sizeOf(shape);
          const width = flatWidth(count);
          return {
            temps: [],
            passes: [
              {
                label: `${name} y ${show(shape)}`,
                code: unaryShader({ apply, width, isHalf, ...sweepOptions(caps) }),
                bindings: [...reads("in0"), ...writes("out0")],
                params: [u(count / width)],
                grid: sweepGrid(count / width, caps),
                flops: count,
                bytes: (isHalf ? 4 : 8) * count,
                stage: forwardStage(name, row, { count, isHalf }),
              },
            ],
          };
        },
      },
    },
    // dx = g · slope(x)
    grad: ([g], { inputs: [x] }, ops) => [g && x ? ops.unaryBackward(g, x, { of: name }) : null],
  });
}

/** An op for each row, under the row's name. */
// The loop loses the keys; the type states them again, from the same table.
export const unaryOps = Object.fromEntries(
  Object.entries(unaryRows).map(([name, row]) => [name, isUnaryName(name) && unaryOp(name, row)]),
) as Readonly<Record<UnaryName, UnaryOp>>;

function rowOf(name: string): UnaryRow {
  if (!isUnaryName(name)) throw new RangeError(`unaryBackward: there is no unary op "${name}"`);
  return unaryRows[name];
}

/** dx = g · f′(x), f being the unary op that `of` names; x may be f16. */
export const unaryBackward = defineOp({
  name: "unaryBackward",
  inputs: ["g", "x"],
  outputs: ["dx"],
  halves: ["x"],
  defaults: { of: "" },
  infer(inputs, { of }) {
    const g = needDtype("unaryBackward", inputs, [0, "g"]);
    const x = needFloat("unaryBackward", inputs, [1, "x"]);
    rowOf(of);
    if (!sameShape(g.shape, x.shape))
      throw new ShapeError("unaryBackward", "g and x must have one shape", {
        g: g.shape,
        x: x.shape,
      });
    return [g];
  },
  variants: {
    elementwise: {
      usable: () => true,
      plan(inputs, { of }, caps) {
        const { shape, dtype } = need(inputs, 1);
        const isHalf = dtype === "f16";
        const row = rowOf(of);
        const apply = applyText(row.uses ?? "", row.slope, `${of}_slope`);
        const count = sizeOf(shape);
        const width = flatWidth(count);
        return {
          temps: [],
          passes: [
            {
              label: `unaryBackward of ${of} dx ${show(shape)}`,
              code: unaryBackwardShader({ apply, width, isHalf, ...sweepOptions(caps) }),
              bindings: [...reads("in0", "in1"), ...writes("out0")],
              params: [u(count / width)],
              grid: sweepGrid(count / width, caps),
              flops: 2 * count,
              bytes: (isHalf ? 10 : 12) * count,
              stage: backwardStage(of, row, { count, isHalf }),
            },
          ],
        };
      },
    },
  },
  grad: null, // second derivatives are not needed by any user of the engine
});
