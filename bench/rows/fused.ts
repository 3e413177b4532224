/** Rows of products with what follows them, as programs: in one pass where it is fused, or in two. */
import { program } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { show, sizeOf } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import { PROGRAM_MODES } from "../vit-step.ts";
import { uniform } from "../workloads.ts";
import type { Row } from "./row.ts";

/** a · b + bias, and an elementwise op on it. */
interface Fused {
  readonly name: string;
  /** Of a, b, bias and what else the op takes. */
  readonly shapes: readonly [Shape, Shape, Shape, ...Shape[]];
  readonly finish: (ops: Engine["ops"], product: Tensor, others: readonly Tensor[]) => Tensor;
}

const gelu = (...shapes: readonly [Shape, Shape, Shape]): Fused => ({
  name: "matmul+gelu",
  shapes,
  finish: (ops, product) => ops.gelu(product),
});

/** The residual has the product's shape. */
const residual = (a: Shape, b: Shape, bias: Shape): Fused => ({
  name: "matmul+residual",
  shapes: [a, b, bias, [...a.slice(0, -1), ...bias]],
  finish: (ops, product, others) => others.reduce((sum, other) => ops.add(sum, other), product),
});

/** The MLP's products: of the small ViT, and of one image in ViT-B/16. */
const PRODUCTS: readonly Fused[] = [
  gelu([64, 50, 64], [64, 256], [256]),
  gelu([197, 768], [768, 3072], [3072]),
  residual([64, 50, 256], [256, 64], [64]),
  residual([197, 3072], [3072, 768], [768]),
];

const fusedRow = (
  { name, shapes, finish }: Fused,
  mode: keyof Pick<typeof PROGRAM_MODES, "program" | "unfused">,
): Row => ({
  name,
  shape: shapes.map(show).join(" "),
  variant: mode,
  kind: "op",
  picked: mode === "program",
  prepare(engine) {
    const { ops } = engine;
    const tensor = (shape: Shape, seed: number): Tensor =>
      engine.tensor(uniform(sizeOf(shape), seed + 1), shape);
    const [shapeA, shapeB, shapeBias, ...more] = shapes;
    const [a, b, bias] = [tensor(shapeA, 0), tensor(shapeB, 1), tensor(shapeBias, 2)];
    const others = more.map((shape, k) => tensor(shape, 3 + k));
    const replayed = program(
      engine,
      () => finish(ops, ops.matmul(a, b, bias), others), // nothing comes from the host
      PROGRAM_MODES[mode],
    );
    return {
      run: () => replayed.run({}),
      cost: () => ({ flops: replayed.stats?.flops ?? 0, bytes: replayed.stats?.bytes ?? 0 }),
      facts: () => ({ program: replayed.stats }),
      profile: () => replayed.profile(),
    };
  },
});

/** Products with their epilogue in the same pass, each with the passes apart beside it. */
export const fusedRows: readonly Row[] = PRODUCTS.flatMap((product) =>
  (["program", "unfused"] as const).map((mode) => fusedRow(product, mode)),
);
