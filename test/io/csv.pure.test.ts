/** CSV feature files in the reference's layout. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFeatures, writeFeatures } from "../../src/io/index.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "neco-csv-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("csv of the reference", () => {
  const write = async (text: string) => {
    const path = join(folder, "t.csv");
    await writeFile(path, text);
    return path;
  };
  test("Windows line ends, NaN, no label, no last newline", async () => {
    const file = await openFeatures(await write(",ct0,ct1\r\n0,1.5,nan\r\n1,-inf,"));
    expect([file.rows, file.dim, file.labels]).toEqual([2, 2, null]);
    expect([...(await file.features(0, 2))]).toEqual([1.5, NaN, -Infinity, NaN]);
    await expect(file.features(1, 2)).rejects.toThrow(/has 2 rows/);
    await file.close();
  });
  test.each([
    ["", /is empty/],
    ["a,b\n1,2\n", /names no column ct0/],
    [",ct0,label\n0,1\n", /line 2 has 2 cells where 3 are due/],
    [",ct0,label\n0,1,cat\n", /line 2 has label "cat"/],
  ])("%j is refused", async (text, message) => {
    await expect(openFeatures(await write(text))).rejects.toThrow(message);
  });
  test("a word among the numbers", async () => {
    const file = await openFeatures(await write(",ct0,label\n0,1,1\n1,x,1\n"));
    await expect(file.features(0, 2)).rejects.toThrow(/line 3 holds "x", not a number/);
    await file.close();
  });
  test("any block of many rows", async () => {
    const rows = 300;
    const features = Float32Array.from({ length: rows * 2 }, (_, i) => Math.fround(Math.sin(i)));
    const path = join(folder, "many.csv");
    await writeFeatures(path, { features, dim: 2, labels: new Int32Array(rows) });
    const file = await openFeatures(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(rows), fc.nat(rows), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect(await file.features(start, end - start)).toEqual(features.slice(2 * start, 2 * end));
      }),
      { numRuns: 30 },
    );
    await file.close();
  });
});
