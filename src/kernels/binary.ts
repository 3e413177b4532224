/** Elementwise ops of two operands, with numpy's broadcasting: arithmetic, extremes, comparisons. */
import { binaryOp, unbroadcast } from "./broadcast.ts";
import type { GradOps } from "./grad-ops.ts";
import type { GradContext, GradRule } from "./op.ts";
import type { NoAttrs } from "./check.ts";

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

/** y = aᵇ for positive a, with broadcasting. da = g·b·y/a, db = g·y·log a. */
export const pow = binaryOp(
  "pow",
  "pow(a, b)",
  ([g], { inputs: [a, b], outputs: [y], shapes, needs: [needA, needB] }, ops) => {
    if (!g || !a || !b || !y) return [null, null];
    const scaled = ops.mul(g, y);
    return [
      needA ? unbroadcast(ops, ops.div(ops.mul(scaled, b), a), shapes, shapes[0]) : null,
      needB ? unbroadcast(ops, ops.mul(scaled, ops.log(a)), shapes, shapes[1]) : null,
    ];
  },
);

/** Cotangents of an extreme: g where an operand won, half of it where they tie, as in PyTorch. */
function extremeGrads<V>(
  winner: (a: V, b: V) => [V, V],
  g: V | undefined,
  { inputs: [a, b], shapes, needs: [needA, needB] }: GradContext<V, NoAttrs>,
  ops: GradOps<V>,
): (V | null)[] {
  if (!g || !a || !b) return [null, null];
  // share = ½((a > b) + (a ≥ b)) is 1, ½ or 0
  const share = ops.affine(ops.add(...winner(a, b)), { scale: 0.5, shift: 0 });
  const rest = ops.affine(share, { scale: -1, shift: 1 });
  return [
    needA ? unbroadcast(ops, ops.mul(g, share), shapes, shapes[0]) : null,
    needB ? unbroadcast(ops, ops.mul(g, rest), shapes, shapes[1]) : null,
  ];
}

/** y = max(a, b), with broadcasting; ties share the gradient. */
export const maximum = binaryOp("maximum", "max(a, b)", ([g], context, ops) =>
  extremeGrads((a, b) => [ops.greater(a, b), ops.greaterEqual(a, b)], g, context, ops),
);

/** y = min(a, b), with broadcasting; ties share the gradient. */
export const minimum = binaryOp("minimum", "min(a, b)", ([g], context, ops) =>
  extremeGrads((a, b) => [ops.greater(b, a), ops.greaterEqual(b, a)], g, context, ops),
);

/** Comparisons are flat wherever they have a slope. */
const flat: GradRule<NoAttrs> = () => [null, null];

/** y = 1 where a exceeds b, else 0; with broadcasting. */
export const greater = binaryOp("greater", "select(Value(0.0), Value(1.0), a > b)", flat);
/** y = 1 where a ≥ b, else 0; with broadcasting. */
export const greaterEqual = binaryOp(
  "greaterEqual",
  "select(Value(0.0), Value(1.0), a >= b)",
  flat,
);
/** y = 1 where a = b, else 0; with broadcasting. */
export const equal = binaryOp("equal", "select(Value(0.0), Value(1.0), a == b)", flat);
