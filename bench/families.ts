/**
 * Decomposes matrices of many kinds and writes them with what was found to a folder, where families.py
 * compares with LAPACK: `npm run bench:families -- FOLDER 128 768 && python3 bench/families.py FOLDER`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createEngine } from "../src/engine/index.ts";
import type { Engine, Tensor } from "../src/engine/index.ts";
import { eigh, qr, svd } from "../src/linalg/index.ts";
import { UsageError } from "../src/util/errors.ts";
import { uniform } from "./workloads.ts";

/** A matrix [size, size] by name; random ones are uniform in (−1, 1). */
type Family = (engine: Engine, size: number) => Promise<Tensor> | Tensor;

function elements(
  engine: Engine,
  size: number,
  element: (row: number, col: number, random: number) => number,
): Tensor {
  const values = uniform(size * size, 1).map((random, index) =>
    element(Math.floor(index / size), index % size, random),
  );
  return engine.tensor(values, [size, size]);
}

const each =
  (element: (row: number, col: number, random: number, size: number) => number): Family =>
  (engine, size) =>
    elements(engine, size, (row, col, random) => element(row, col, random, size));

/** Q diag(σ) Pᵀ, σ a function of k / (D − 1). */
const spectrum =
  (sigma: (part: number) => number): Family =>
  async (engine, size) => {
    const { ops } = engine;
    const random = (seed: number): Tensor =>
      engine.tensor(uniform(size * size, seed), [size, size]);
    const left = await qr(engine, random(1));
    const right = await qr(engine, random(2));
    const values = Float32Array.from({ length: size }, (_, k) => sigma(k / (size - 1)));
    return ops.matmul(ops.mul(left.q, engine.tensor(values)), right.q, null, { transposeB: true });
  };

const families: Readonly<Record<string, Family>> = {
  random: each((_row, _col, random) => random),
  "repeated values": spectrum((part) => (part < 0.5 ? 1 : 0.5)),
  "clustered within 1e-6": spectrum((part) => 1 + 1e-6 * part),
  "rank 2 D / 5": spectrum((part) => (part < 0.4 ? 1 - part : 0)),
  zero: each(() => 0),
  ones: each(() => 1),
  "random · 1e30": each((_row, _col, random) => random * 1e30),
  "random · 1e-30": each((_row, _col, random) => random * 1e-30),
  "columns graded to 1e-12": each(
    (_row, col, random, size) => random * 10 ** ((-12 * col) / (size - 1)),
  ),
  "dense, graded to 1e-5": spectrum((part) => 10 ** (-5 * part)),
  Hilbert: each((row, col) => 1 / (row + col + 1)),
};

/** What was found, as files name it; `ms` of a call that found compiled kernels. */
interface Found {
  readonly parts: Readonly<Record<string, Tensor | Float64Array>>;
  readonly ms: number;
}

async function timed<T>(call: () => Promise<T>): Promise<[T, number]> {
  await call();
  const start = performance.now();
  const result = await call();
  return [result, performance.now() - start];
}

async function decompose(engine: Engine, a: Tensor): Promise<Found> {
  const { ops } = engine;
  const [{ u, values, v }, ms] = await timed(() => svd(engine, a));
  // Halves first: the sum of two huge elements would overflow.
  const half = ops.affine(a, { scale: 0.5 });
  const s = ops.add(half, ops.permute(half, { axes: [1, 0] }));
  const eigen = await eigh(engine, s);
  const { q, r } = await qr(engine, a);
  return {
    parts: { a, u, values, v, s, lambda: eigen.values, vectors: eigen.vectors, q, r },
    ms,
  };
}

async function main([folder, ...sizes]: readonly string[]): Promise<void> {
  if (folder === undefined) throw new UsageError("name a folder, and sizes");
  const engine = await createEngine();
  mkdirSync(folder, { recursive: true });
  const rows: object[] = [];
  for (const size of sizes.length > 0 ? sizes.map(Number) : [128])
    for (const [family, make] of Object.entries(families)) {
      const { parts, ms } = await decompose(engine, await make(engine, size));
      for (const [name, part] of Object.entries(parts)) {
        const values = part instanceof Float64Array ? part : await part.floats();
        writeFileSync(join(folder, `${size}-${family.replaceAll(/\W/g, "_")}.${name}`), values);
      }
      rows.push({ size, family, file: `${size}-${family.replaceAll(/\W/g, "_")}`, ms });
      console.log(`${size} ${family}: svd ${ms.toFixed(0)} ms`);
    }
  const { description } = engine.adapter;
  writeFileSync(join(folder, "index.json"), JSON.stringify({ adapter: description, rows }));
}

await main(process.argv.slice(2));
process.exit(0);
