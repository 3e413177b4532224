/** Products with elementwise stages in their epilogue: every variant, against unfused ones and float64. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import type { MatmulAttrs } from "../../src/kernels/matmul-product.ts";
import { meta, show } from "../../src/util/shape.ts";
import { checkFused, oracle } from "./fused.ts";
import type { FusedSample } from "./fused.ts";

interface Product {
  readonly rows: number;
  readonly cols: number;
  readonly k: number;
  readonly attrs: MatmulAttrs;
}

const PLAIN: MatmulAttrs = { transposeA: false, transposeB: false };
const ACROSS: MatmulAttrs = { transposeA: true, transposeB: false };

/** Vectors of 4 columns, single ones, rows past a tile's edge, and several tiles. */
const PRODUCTS: readonly Product[] = [
  { rows: 19, cols: 12, k: 9, attrs: PLAIN },
  { rows: 5, cols: 7, k: 9, attrs: PLAIN },
  { rows: 70, cols: 68, k: 9, attrs: PLAIN },
];

/** `broadcast` alone takes the terms of an even k in twos, and those of such an a in one load. */
const PAIRED: readonly Product[] = [
  { rows: 19, cols: 12, k: 8, attrs: PLAIN },
  { rows: 5, cols: 7, k: 8, attrs: PLAIN },
];

/** Another text of most variants; two terms a turn, each with a load of its own, in `broadcast`. */
const TRANSPOSED: Product = { rows: 19, cols: 12, k: 8, attrs: ACROSS };

type Names = "a" | "b" | "bias" | "skip";

const shapeOfA = ({ rows, k, attrs }: Product): number[] =>
  attrs.transposeA ? [k, rows] : [rows, k];

const shapesOf = (product: Product): Record<Names, number[]> => {
  const { rows, cols, k } = product;
  return { a: shapeOfA(product), b: [k, cols], bias: [cols], skip: [rows, cols] };
};

const residual = (product: Product): FusedSample<Names> => ({
  shapes: shapesOf(product),
  body: (ops, { a, b, bias, skip }) => [ops.add(skip, ops.matmul(a, b, bias, product.attrs))],
  reference: ({ a, b, bias, skip }) => [
    oracle("add", [skip, oracle("matmul", [a, b, bias], product.attrs)]),
  ],
  passes: [1, 2],
});

const gelu = (product: Product): FusedSample<Names> => ({
  shapes: shapesOf(product),
  body: (ops, { a, b, bias }) => {
    const hidden = ops.matmul(a, b, bias, product.attrs);
    return [hidden, ops.gelu(hidden)];
  },
  reference: ({ a, b, bias }) => {
    const hidden = oracle("matmul", [a, b, bias], product.attrs);
    return [hidden, oracle("gelu", [hidden])];
  },
  passes: [1, 2],
});

const geluGradient = (product: Product): FusedSample<Names> => ({
  shapes: shapesOf(product),
  body: (ops, { a, b, bias, skip }) => {
    const g = ops.matmul(a, b, null, product.attrs);
    const dx = ops.unaryBackward(g, skip, { of: "gelu" });
    return [ops.affine(ops.mul(dx, bias), { scale: 0.5, shift: 2 })];
  },
  reference: ({ a, b, bias, skip }) => {
    const g = oracle("matmul", [a, b, null], product.attrs);
    const dx = oracle("unaryBackward", [g, skip], { of: "gelu" });
    return [oracle("affine", [oracle("mul", [dx, bias])], { scale: 0.5, shift: 2 })];
  },
  passes: [1, 4],
});

const EPILOGUES = {
  "+ residual": residual,
  "+ gelu, with what its gradient needs": gelu,
  "+ gelu's gradient + repeated row + number": geluGradient,
};

describe.each(Object.entries(matmul.variants))("matmul %s", (variant, pick) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ picks: { matmul: variant } });
  });
  afterAll(() => {
    engine.destroy();
  });

  const check = (name: string, product: Product, sample: FusedSample<Names>): void => {
    const a = shapeOfA(product);
    const b = [product.k, product.cols];
    it(`${show(a)} ${show(b)}${product.attrs.transposeA ? " transposeA" : ""} ${name}`, async (context) => {
      const isUsable = pick.usable([meta(a), meta(b)], product.attrs, engine.caps);
      if (!isUsable) context.skip(`${variant} does not take this product on this adapter`);
      await checkFused(engine, sample);
    });
  };
  for (const product of variant === "broadcast" ? [...PRODUCTS, ...PAIRED] : PRODUCTS)
    for (const [name, sampleOf] of Object.entries(EPILOGUES))
      check(name, product, sampleOf(product));
  check("+ gelu", TRANSPOSED, gelu(TRANSPOSED));
});
