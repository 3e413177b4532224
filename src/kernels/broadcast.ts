/** Elementwise ops of two operands with numpy's broadcasting: their plan, and gradients' way back. */
import { binary as binaryShader } from "../../shaders/binary.wgsl.ts";
import { binaryStrided } from "../../shaders/binaryStrided.wgsl.ts";
import { broadcastShapes, sameShape, show, sizeOf } from "../util/shape.ts";
import type { Meta, Shape } from "../util/shape.ts";
import { needDtype } from "./check.ts";
import type { NoAttrs } from "./check.ts";
import type { GradOps } from "./grad-ops.ts";
import {
  axisWords,
  broadcastStrides,
  flatWidth,
  inVectors,
  mergeAxes,
  operandLayout,
} from "./layout.ts";
import type { OperandLayout } from "./layout.ts";
import { defineOp } from "./op.ts";
import type { Binding, Caps, GradRule, OpDef, Pass } from "./op.ts";
import {
  ELEMENT_WORKGROUP,
  elementGrid,
  reads,
  sweepGrid,
  sweepOptions,
  u,
  writes,
} from "./pass.ts";

/** An elementwise op of two operands. */
export type BinaryOp = OpDef<NoAttrs, readonly ["a", "b"], readonly ["y"]>;

/** The operands that can be read without strides. */
type FlatLayout = Exclude<OperandLayout, "strided">;

/** y = apply(a, b): shapes, the WGSL expression of a and b, and where they are. */
export interface BinaryCall {
  readonly name: string;
  /** Of a and b, which may be f32 or vec4f. */
  readonly expression: string;
  readonly a: Shape;
  readonly b: Shape;
  readonly y: Shape;
  /** a, b, y. */
  readonly bindings: readonly Binding[];
}

const applyText = ({ expression }: BinaryCall): string =>
  `fn apply(a: Value, b: Value) -> Value {\n  return ${expression};\n}`;

function flatPass(call: BinaryCall, caps: Caps, a: FlatLayout, b: FlatLayout): Pass {
  const [count, aCount, bCount] = [sizeOf(call.y), sizeOf(call.a), sizeOf(call.b)];
  const width = flatWidth(count, a === "scalar" ? 0 : aCount, b === "scalar" ? 0 : bCount);
  return {
    label: `${call.name} y ${show(call.y)}`,
    code: binaryShader({ apply: applyText(call), width, a, b, ...sweepOptions(caps) }),
    bindings: call.bindings,
    params: [u(count / width), u(Math.ceil(aCount / width)), u(Math.ceil(bCount / width))],
    grid: sweepGrid(count / width, caps),
    flops: count,
    bytes: 4 * (count + aCount + bCount),
    stage: {
      name: call.name,
      count,
      operands: [
        { kind: a, count: aCount },
        { kind: b, count: bCount },
      ],
      words: [],
      blocks: () => [
        `fn ${call.name}_stage(a: Value, b: Value) -> Value {\n  return ${call.expression};\n}`,
      ],
    },
  };
}

function stridedPass(call: BinaryCall, caps: Caps): Pass {
  const strides = [broadcastStrides(call.a, call.y), broadcastStrides(call.b, call.y)];
  const view = inVectors(mergeAxes(call.name, { sizes: call.y, strides }));
  const [aSplat = false, bSplat = false] = view.splats;
  const count = sizeOf(call.y);
  const options = { width: view.width, rank: view.sizes.length, workgroup: ELEMENT_WORKGROUP };
  return {
    label: `${call.name} y ${show(call.y)}`,
    code: binaryStrided({ apply: applyText(call), aSplat, bSplat, ...options }),
    bindings: call.bindings,
    params: [...axisWords(view.sizes), ...view.strides.flatMap(axisWords), u(count / view.width)],
    grid: elementGrid(count / view.width, caps),
    flops: count,
    bytes: 4 * (count + sizeOf(call.a) + sizeOf(call.b)),
  };
}

/** The pass of an elementwise call, without strides where the shapes allow it. */
export function binaryPass(call: BinaryCall, caps: Caps): Pass {
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
  grad: GradRule<NoAttrs> | null,
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
          const bindings = [...reads("in0", "in1"), ...writes("out0")];
          const call = { name, expression, a: a.shape, b: b.shape, y: y.shape, bindings };
          return { temps: [], passes: [binaryPass(call, caps)] };
        },
      },
    },
    grad,
  });

/** A cotangent of the shape that `shapes` broadcast to, summed down to an operand's own. */
export function unbroadcast<V>(
  ops: GradOps<V>,
  g: V,
  shapes: readonly Shape[],
  own: Shape | undefined,
): V {
  const full = shapes.reduce((a, b) => broadcastShapes("gradient", a, b));
  return own === undefined || sameShape(full, own) ? g : ops.sumTo(g, { shape: own });
}
