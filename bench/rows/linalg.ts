/** Rows of the decompositions, on random matrices. */
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { cholesky, eigh, qr, randomisedSvd, svd } from "../../src/linalg/index.ts";
import { at, show } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import { uniform } from "../workloads.ts";
import type { Row } from "./row.ts";

/** A decomposition to time, and its operations as textbooks count them. */
interface Work {
  readonly name: string;
  readonly shape: Shape;
  readonly variant: string;
  readonly flops: number;
  readonly values: (shape: Shape) => Float32Array;
  readonly run: (engine: Engine, a: Tensor) => Promise<unknown>;
}

const random = (shape: Shape): Float32Array => uniform(at(shape, 0) * at(shape, 1), 1);

/** Symmetric, with `shift` on the diagonal. */
function symmetric(shape: Shape, shift: number): Float32Array {
  const size = at(shape, 0);
  const values = random(shape);
  return values.map((value, index) => {
    const [row, column] = [Math.floor(index / size), index % size];
    return row === column
      ? value + shift
      : at(values, Math.max(row, column) * size + Math.min(row, column));
  });
}

const RANK = 20;

const works: readonly Work[] = [
  ...[128, 768].map((size) => ({
    name: "eigh",
    shape: [size, size],
    variant: "all pairs",
    flops: 9 * size ** 3,
    values: (shape: Shape) => symmetric(shape, 0),
    run: eigh,
  })),
  ...[256, 768].map((size) => ({
    name: "svd",
    shape: [size, size],
    variant: "all values",
    flops: 0,
    values: random,
    run: svd,
  })),
  {
    name: "randomised-svd",
    shape: [768, 768],
    variant: `rank ${RANK}`,
    flops: 0,
    values: random,
    run: (engine, a) => randomisedSvd(engine, a, { rank: RANK }),
  },
  {
    name: "qr",
    shape: [4096, 256],
    variant: "reduced",
    flops: 4 * 4096 * 256 ** 2,
    values: random,
    run: qr,
  },
  {
    name: "cholesky",
    shape: [768, 768],
    variant: "blocked",
    flops: 768 ** 3 / 3,
    values: (shape) => symmetric(shape, 2 * Math.sqrt(at(shape, 0))),
    run: cholesky,
  },
];

/** Eigenpairs, singular values, QR and Cholesky. */
export const linalgRows: readonly Row[] = works.map(
  ({ name, shape, variant, flops, values, run }) => ({
    name,
    shape: show(shape),
    variant,
    kind: "workload",
    picked: true,
    prepare(engine) {
      const a = engine.tensor(values(shape), shape);
      return {
        run: () =>
          engine.scope(async () => {
            await run(engine, a);
          }),
        cost: () => ({ flops, bytes: 0 }),
      };
    },
  }),
);
