/** Elementwise ops of two operands with numpy's broadcasting: add, sub, mul, div and their plans. */
import { binary as binaryShader } from "../../shaders/binary.wgsl.ts";
import { binaryStrided } from "../../shaders/binaryStrided.wgsl.ts";
import { broadcastShapes, sameShape, show, sizeOf } from "../util/shape.ts";
import type { Meta, Shape } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import type { GradOps } from "./grad-ops.ts";
import {
  axisWords,
  broadcastStrides,
  flatWidth,
  inVectors,
  mergeAxes,
  operandLayout,
  stridedWidth,
} from "./layout.ts";
import type { OperandLayout } from "./layout.ts";
import { defineOp } from "./op.ts";
import type { Caps, GradRule, OpDef, Pass } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, reads, u, writes } from "./pass.ts";

type BinaryAttrs = Readonly<Record<never, never>>;
type BinaryOp = OpDef<BinaryAttrs, readonly ["a", "b"], readonly ["y"]>;
type FlatLayout = Exclude<OperandLayout, "strided">;

/** A call's operands and output. */
interface Call {
  readonly name: string;
  readonly apply: string;
  readonly a: Shape;
  readonly b: Shape;
  readonly y: Shape;
}

function flatPass(call: Call, caps: Caps, a: FlatLayout, b: FlatLayout): Pass {
  const [count, aCount, bCount] = [sizeOf(call.y), sizeOf(call.a), sizeOf(call.b)];
  const width = flatWidth(count, a === "scalar" ? 0 : aCount, b === "scalar" ? 0 : bCount);
  return {
    label: `${call.name} y ${show(call.y)}`,
    code: binaryShader({ apply: call.apply, width, a, b, workgroup: ELEMENT_WORKGROUP }),
    bindings: [...reads("in0", "in1"), ...writes("out0")],
    params: [u(count / width), u(Math.ceil(aCount / width)), u(Math.ceil(bCount / width))],
    grid: elementGrid(count / width, caps),
    flops: count,
    bytes: 4 * (count + aCount + bCount),
  };
}

function stridedPass(call: Call, caps: Caps): Pass {
  const strides = [broadcastStrides(call.a, call.y), broadcastStrides(call.b, call.y)];
  const merged = mergeAxes(call.name, { sizes: call.y, strides });
  const width = stridedWidth(merged);
  const { sizes, strides: steps } = inVectors(merged, width);
  const count = sizeOf(call.y);
  const { apply } = call;
  return {
    label: `${call.name} y ${show(call.y)}`,
    code: binaryStrided({ apply, width, rank: sizes.length, workgroup: ELEMENT_WORKGROUP }),
    bindings: [...reads("in0", "in1"), ...writes("out0")],
    params: [...axisWords(sizes), ...steps.flatMap(axisWords), u(count / width)],
    grid: elementGrid(count / width, caps),
    flops: count,
    bytes: 4 * (count + sizeOf(call.a) + sizeOf(call.b)),
  };
}

/** The pass of y = apply(a, b), without strides where the shapes allow it. */
function binaryPass(call: Call, caps: Caps): Pass {
  const a = operandLayout(call.a, call.y);
  const b = operandLayout(call.b, call.y);
  return a === "strided" || b === "strided" ? stridedPass(call, caps) : flatPass(call, caps, a, b);
}

/** Metas of both operands and of y. */
function operands(name: string, inputs: readonly (Meta | null)[]): [Meta, Meta, Meta] {
  const a = needDtype(name, inputs, [0, "a"]);
  const b = needDtype(name, inputs, [1, "b"]);
  return [a, b, { shape: broadcastShapes(name, a.shape, b.shape), dtype: "f32" }];
}

/** An elementwise op from one WGSL expression of a and b, which may be f32 or vec4f. */
export const binaryOp = (
  name: string,
  expression: string,
  grad: GradRule<BinaryAttrs> | null,
): BinaryOp =>
  defineOp({
    name,
    inputs: ["a", "b"],
    outputs: ["y"],
    defaults: {},
    infer: (inputs) => [operands(name, inputs)[2]],
    variants: {
      elementwise: {
        usable: () => true,
        plan(inputs, _attrs, caps) {
          const [a, b, y] = operands(name, inputs);
          const apply = `fn apply(a: Value, b: Value) -> Value {\n  return ${expression};\n}`;
          const call = { name, apply, a: a.shape, b: b.shape, y: y.shape };
          return { temps: [], passes: [binaryPass(call, caps)] };
        },
      },
    },
    grad,
  });

/** A cotangent of the broadcast shape, summed down to an operand's own. */
export function unbroadcast<V>(
  ops: GradOps<V>,
  g: V,
  [a, b]: readonly Shape[],
  own: Shape | undefined,
): V {
  const full = broadcastShapes("gradient", a ?? [], b ?? []);
  return own === undefined || sameShape(full, own) ? g : ops.sumTo(g, { shape: own });
}

/** y = a + b, with broadcasting. da = g, db = g. */
export const add = binaryOp("add", "a + b", ([g], { shapes, needs }, ops) =>
  [0, 1].map((k) => (g && needs[k] ? unbroadcast(ops, g, shapes, shapes[k]) : null)),
);

/** y = a − b, with broadcasting. da = g, db = −g. */
export const sub = binaryOp("sub", "a - b", ([g], { shapes, needs: [needA, needB] }, ops) => [
  g && needA ? unbroadcast(ops, g, shapes, shapes[0]) : null,
  g && needB ? ops.affine(unbroadcast(ops, g, shapes, shapes[1]), { scale: -1 }) : null,
]);

/** y = a · b, with broadcasting. da = g·b, db = g·a. */
export const mul = binaryOp(
  "mul",
  "a * b",
  ([g], { inputs: [a, b], shapes, needs: [needA, needB] }, ops) => [
    g && b && needA ? unbroadcast(ops, ops.mul(g, b), shapes, shapes[0]) : null,
    g && a && needB ? unbroadcast(ops, ops.mul(g, a), shapes, shapes[1]) : null,
  ],
);

/** y = a / b, with broadcasting. da = g/b, db = −g·y/b. */
export const div = binaryOp(
  "div",
  "a / b",
  ([g], { inputs: [, b], outputs: [y], shapes, needs: [needA, needB] }, ops) => {
    if (!g || !b || !y) return [null, null];
    const scaled = ops.div(g, b);
    return [
      needA ? unbroadcast(ops, scaled, shapes, shapes[0]) : null,
      needB
        ? ops.affine(unbroadcast(ops, ops.mul(scaled, y), shapes, shapes[1]), { scale: -1 })
        : null,
    ];
  },
);
