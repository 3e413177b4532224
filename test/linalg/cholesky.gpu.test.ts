/** Cholesky factors and triangular systems on the GPU, checked backwards in float64. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, program } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { cholesky, solveTriangular } from "../../src/linalg/index.ts";
import { CaptureError, NotPositiveDefiniteError } from "../../src/util/errors.ts";
import { at } from "../../src/util/shape.ts";
import { distance, multiply, norm } from "./families.ts";
import type { Dense } from "./families.ts";
import { gram, uniform } from "./matrices.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});

const SIZES = [1, 2, 3, 64, 65, 128, 200];

/** F Fᵀ of whole numbers, D · size apart, times a power of two. */
function definite(size: number, scale: number): Float32Array {
  return gram(size, 2 * size, 4).values.map((value) => value * scale);
}

const transpose = ({ rows, cols, values }: Dense): Dense => ({
  rows: cols,
  cols: rows,
  values: Float64Array.from(values, (_, index) =>
    at(values, (index % rows) * cols + Math.floor(index / rows)),
  ),
});

describe("cholesky", () => {
  for (const size of SIZES)
    for (const scale of [1, 2 ** -90, 2 ** 91])
      it(`rebuilds [${size}, ${size}] · ${scale}`, async () => {
        const values = definite(size, scale);
        const factor = await cholesky(engine, engine.tensor(values, [size, size]));
        const l = { rows: size, cols: size, values: await factor.floats() };
        factor.dispose();
        expect(distance({ ...l, values }, multiply(l, transpose(l)))).toBeLessThanOrEqual(1e-6);
        l.values.forEach((value, index) => {
          if (index % size > Math.floor(index / size)) expect(value).toBe(0);
        });
      });

  it("takes rows and columns of scales 1e12 apart", async () => {
    const size = 70;
    const grade = (k: number): number => 2 ** -Math.floor(k / 2);
    const values = definite(size, 1).map(
      (value, index) => value * grade(Math.floor(index / size)) * grade(index % size),
    );
    const factor = await cholesky(engine, engine.tensor(values, [size, size]));
    const l = { rows: size, cols: size, values: await factor.floats() };
    const rebuilt = multiply(l, transpose(l));
    for (let k = 0; k < size; k++)
      expect(
        Math.abs(at(rebuilt.values, k * (size + 1)) / at(values, k * (size + 1)) - 1),
      ).toBeLessThan(1e-5);
  });

  for (const pivot of [0, 2, 63, 64, 90])
    it(`names pivot ${pivot}`, async () => {
      const size = 100;
      const values = new Float32Array(size * size);
      for (let k = 0; k < size; k++) values[k * (size + 1)] = k >= pivot ? -1 : 1;
      const live = engine.pool.live;
      const a = engine.tensor(values, [size, size]);
      const error: unknown = await cholesky(engine, a).catch((thrown: unknown) => thrown);
      a.dispose();
      expect(error).toBeInstanceOf(NotPositiveDefiniteError);
      expect(error).toMatchObject({ pivot, kind: "numeric" });
      expect(String(error)).toMatch(`cholesky: a is not positive definite: pivot ${pivot} is not`);
      expect(engine.pool.live).toBeLessThanOrEqual(live); // garbage of earlier tests may go meanwhile
    });

  it("refuses what it cannot factor", async () => {
    await expect(cholesky(engine, engine.zeros([2, 3]))).rejects.toThrow(
      /cholesky: a must be square and not empty; got a \[2, 3\]/,
    );
    const bad = engine.tensor(new Float32Array([1, 0, 5, 1]), [2, 2]);
    await expect(cholesky(engine, bad)).rejects.toThrow(/cholesky: a is not symmetric/);
  });
});

describe("solveTriangular", () => {
  for (const size of SIZES)
    for (const lower of [true, false])
      for (const transposed of [false, true])
        it(`[${size}] lower ${lower} transpose ${transposed}`, async () => {
          const cols = size === 65 ? 1 : 37;
          // The other triangle holds what must not be read.
          const t = Float32Array.from(uniform(size * size, 9), (value, index) => {
            const [row, column] = [Math.floor(index / size), index % size];
            return row === column ? 2 + value : value;
          });
          const b = Float32Array.from(uniform(size * cols, 10));
          const x = await solveTriangular(
            engine,
            engine.tensor(t, [size, size]),
            engine.tensor(b, [size, cols]),
            { lower, transpose: transposed },
          );
          const part = t.map((value, index) => {
            const [row, column] = [Math.floor(index / size), index % size];
            return (lower ? column <= row : column >= row) ? value : 0;
          });
          const triangle = { rows: size, cols: size, values: part };
          const found = { rows: size, cols, values: await x.floats() };
          const back = multiply(triangle, found, { transpose: transposed });
          const errors = back.values.map((value, index) => value - at(b, index));
          expect(norm({ ...back, values: errors })).toBeLessThanOrEqual(
            2e-6 * norm(triangle) * norm(found),
          );
        });

  it("names the row whose diagonal is zero", async () => {
    const size = 80;
    const values = new Float32Array(size * size);
    for (let k = 0; k < size; k++) values[k * (size + 1)] = k === 70 ? 0 : 1;
    const t = engine.tensor(values, [size, size]);
    await expect(solveTriangular(engine, t, engine.zeros([size, 2]))).rejects.toThrow(
      /solveTriangular: t\[70, 70\] is zero; solve with lstsq or pinv/,
    );
  });

  it("refuses other shapes and captures", async () => {
    await expect(
      solveTriangular(engine, engine.zeros([2, 2]), engine.zeros([3, 1])),
    ).rejects.toThrow(/solveTriangular: b must be \[2, K\]; got t \[2, 2\], b \[3, 1\]/);
    const attempts: Promise<unknown>[] = [];
    const step = program(engine, ({ x }: { readonly x: Tensor }) => {
      for (const attempt of [cholesky(engine, x), solveTriangular(engine, x, x)])
        attempts.push(attempt.catch((error: unknown) => error));
      return engine.ops.add(x, x);
    });
    await step.run({ x: { values: new Float32Array(4), shape: [2, 2] } });
    for (const error of await Promise.all(attempts)) expect(error).toBeInstanceOf(CaptureError);
    step.dispose();
  });
});
