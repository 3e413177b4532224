/** Matrix products: y = a · b (+ bias), either operand transposed, batched or shared. */
import { ShapeError } from "../util/errors.ts";
import { at, meta, sameShape, sizeOf } from "../util/shape.ts";
import type { Meta, Shape } from "../util/shape.ts";
import { needFloat } from "./check.ts";
import { gpuOrder, matmulGpuVariants } from "./matmul-gpu-variants.ts";
import { matmulVariants } from "./matmul-variants.ts";
import type { MatmulAttrs } from "./matmul-product.ts";
import type { GradOps } from "./grad-ops.ts";
import { defineOp } from "./op.ts";
import type { GradContext } from "./op.ts";

function checkOperands(a: Meta, b: Meta, attrs: MatmulAttrs): void {
  const shapes = { a: a.shape, b: b.shape };
  if (a.dtype !== b.dtype)
    throw new ShapeError("matmul", `a is ${a.dtype} and b ${b.dtype}; use cast`, shapes);
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError("matmul", "a and b need at least 2 axes; reshape vectors", shapes);
  if (at(a.shape, attrs.transposeA ? -2 : -1) !== at(b.shape, attrs.transposeB ? -1 : -2))
    throw new ShapeError("matmul", "inner sizes differ", shapes);
  const isShared = a.shape.length === 2 || b.shape.length === 2;
  if (!isShared && !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2)))
    throw new ShapeError("matmul", "batch axes differ, and neither operand has 2 axes", shapes);
}

/**
 * y [..., M, N] = a [..., M, K] · b [..., K, N] + bias [N]; an operand of 2 axes serves all batches.
 * a and b may both be f16; sums, bias and y are f32 all the same.
 */
export const matmul = defineOp({
  name: "matmul",
  inputs: ["a", "b", "bias?"],
  outputs: ["y"],
  halves: ["a", "b"],
  defaults: { transposeA: false, transposeB: false },
  infer(inputs, attrs: MatmulAttrs) {
    const a = needFloat("matmul", inputs, [0, "a"]);
    const b = needFloat("matmul", inputs, [1, "b"]);
    checkOperands(a, b, attrs);
    const batch = (a.shape.length > 2 ? a.shape : b.shape).slice(0, -2);
    const cols = at(b.shape, attrs.transposeB ? -2 : -1);
    const bias = inputs[2];
    if (bias && !sameShape(bias.shape, [cols]))
      throw new ShapeError("matmul", `bias must be [${cols}], the columns of b`, {
        a: a.shape,
        b: b.shape,
        bias: bias.shape,
      });
    return [meta([...batch, at(a.shape, attrs.transposeA ? -1 : -2), cols])];
  },
  variants: { ...matmulVariants, ...matmulGpuVariants },
  prefer: { gpu: { order: gpuOrder }, cpu: ["broadcast", "registerTile"] },
  // y = A·B + 1·biasᵀ: dA = g·Bᵀ, dB = Aᵀ·g, dbias = Σ_rows g; a stored transpose swaps the product
  // (dAᵀ = B·gᵀ, dBᵀ = gᵀ·A), and an operand that all batches share gets the sum over batches.
  // Operands in f16 get products in f16: that is where scaled losses overflow.
  grad<V>(gs: readonly V[], context: GradContext<V, MatmulAttrs>, ops: GradOps<V>) {
    const [given] = gs;
    const [a, b] = context.inputs;
    const [aShape = [], bShape = [], biasShape = []] = context.shapes;
    const [needsA, needsB, needsBias] = context.needs;
    if (given === undefined || a === undefined || b === undefined) return [];
    const g = context.dtypes[0] === "f16" ? ops.cast(given, { dtype: "f16" }) : given;
    const operands = { g, a, b, aShape, bShape };
    return [
      needsA ? gradientOfA(operands, context.attrs, ops) : null,
      needsB ? gradientOfB(operands, context.attrs, ops) : null,
      needsBias ? ops.sumTo(g, { shape: biasShape }) : null,
    ];
  },
});

interface Operands<V> {
  readonly g: V;
  readonly a: V;
  readonly b: V;
  readonly aShape: Shape;
  readonly bShape: Shape;
}

function gradientOfA<V>(
  { g, b, aShape, bShape }: Operands<V>,
  { transposeA, transposeB }: MatmulAttrs,
  ops: GradOps<V>,
): V {
  const da = transposeA
    ? ops.matmul(b, g, null, { transposeA: transposeB, transposeB: true })
    : ops.matmul(g, b, null, { transposeB: !transposeB });
  return aShape.length < bShape.length ? ops.sumTo(da, { shape: aShape }) : da;
}

function gradientOfB<V>(
  { g, a, aShape, bShape }: Operands<V>,
  { transposeA, transposeB }: MatmulAttrs,
  ops: GradOps<V>,
): V {
  const isShared = bShape.length < aShape.length;
  if (isShared && !transposeA) {
    // One product over all rows of all batches instead of a sum of products.
    const rows = sizeOf(aShape.slice(0, -1));
    const flatA = ops.reshape(a, { shape: [rows, at(aShape, -1)] });
    const flatG = ops.reshape(g, { shape: [rows, at(bShape, transposeB ? -2 : -1)] });
    return transposeB
      ? ops.matmul(flatG, flatA, null, { transposeA: true })
      : ops.matmul(flatA, flatG, null, { transposeA: true });
  }
  const db = transposeB
    ? ops.matmul(g, a, null, { transposeA: true, transposeB: transposeA })
    : ops.matmul(a, g, null, { transposeA: !transposeA });
  return isShared ? ops.sumTo(db, { shape: bShape }) : db;
}
