/** Folders of images and the sets that are made up, on files that the test makes. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeDatasets, loadDataset, loadOod } from "../../src/data/registry.ts";
import { DataError } from "../../src/util/errors.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "neco-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("folders of images", () => {
  const solid = (grey: number, width = 8, height = 8) =>
    sharp({ create: { width, height, channels: 3, background: { r: grey, g: grey, b: grey } } })
      .png()
      .toBuffer();
  const geometry = { height: 4, width: 4, channels: 1 } as const;

  test("a sub-folder a class; 10 comes after 2", async () => {
    const path = join(folder, "classes");
    for (const [label, grey] of [
      ["2", 20],
      ["10", 100],
    ] as const) {
      await mkdir(join(path, label), { recursive: true });
      for (let i = 0; i < 20; i++)
        await writeFile(join(path, label, `${String(i)}.png`), await solid(grey, 12, 8));
    }
    await writeFile(join(path, "notes.md"), "no class");
    const data = await loadDataset(path, { geometry });
    expect(data.classes).toEqual(["2", "10"]);
    expect([data.splits.train.count, data.splits.val.count, data.splits.test.count]).toEqual([
      32, 2, 6,
    ]);
    expect([...(await data.splits.train.images([0, 1]))]).toEqual([
      ...Array<number>(16).fill(20),
      ...Array<number>(16).fill(100),
    ]);
    const ood = await loadOod(path, { ...data, height: 2, width: 2 });
    expect([ood.splits.test.count, ood.height]).toEqual([40, 2]);
    expect((await ood.splits.test.images([39])).length).toBe(4);
    expect((await loadDataset(`${path}:10#3`, { geometry })).splits.train.count).toBe(3);
  });
  test("train and val given", async () => {
    const path = join(folder, "given");
    for (const split of ["train", "val"]) {
      await mkdir(join(path, split, "cat"), { recursive: true });
      await writeFile(join(path, split, "cat", "1.png"), await solid(1));
    }
    const { splits } = await loadDataset(path, { geometry });
    expect([splits.train.count, splits.val.count, splits.test.count]).toEqual([1, 1, 0]);
    await expect(splits.test.images([0])).rejects.toThrow(/no images; choose another/);
  });
  test("a flat folder has no labels; a list gives them", async () => {
    const path = join(folder, "flat");
    await mkdir(path);
    await writeFile(join(path, "a b.png"), await solid(7));
    await writeFile(join(path, "c.jpg"), await solid(9));
    const flat = await loadDataset(path, { geometry });
    expect([flat.classes, [...flat.splits.test.labels]]).toEqual([[], [-1, -1]]);
    await writeFile(join(path, "list.txt"), "# comment\na b.png dog\nc.jpg cat\n");
    const list = await loadDataset(join(path, "list.txt"), { geometry, allAsTest: true });
    expect([list.classes, [...list.splits.test.labels]]).toEqual([
      ["cat", "dog"],
      [1, 0],
    ]);
    await writeFile(join(path, "list.txt"), "nothing here");
    await expect(loadDataset(join(path, "list.txt"))).rejects.toThrow(/line 1 is no "path label"/);
  });
  test("no images, a broken image", async () => {
    const path = join(folder, "broken");
    await mkdir(path);
    await expect(loadDataset(path)).rejects.toThrow(DataError);
    await writeFile(join(path, "x.png"), "no image");
    const data = await loadDataset(path, { geometry });
    await expect(data.splits.test.images([0])).rejects.toThrow(
      /x\.png: .*; replace or remove the file/,
    );
  });
});

describe("made-up sets", () => {
  const geometry = { height: 8, width: 8, channels: 1 } as const;
  test("noise is the same each time and not constant", async () => {
    const [a, b] = await Promise.all(
      [1, 2].map(() => loadDataset("noise", { geometry, limit: 20 })),
    );
    expect(a?.hash).toBe(b?.hash);
    const pixels = (await a?.splits.test.images([0, 1])) ?? new Uint8Array();
    expect(new Set(pixels).size).toBeGreaterThan(80);
  });
  test("patches name the number of photographs", async () => {
    const path = join(folder, "photographs");
    await mkdir(path);
    for (const grey of [50, 150])
      await writeFile(
        join(path, `${String(grey)}.png`),
        await sharp({
          create: { width: 40, height: 30, channels: 3, background: { r: grey, g: grey, b: grey } },
        })
          .png()
          .toBuffer(),
      );
    const data = await loadDataset("patches", { base: path, geometry, limit: 3 });
    expect(data.title).toBe("3 patches of 2 photographs");
    expect([...(await data.splits.test.images([0, 1, 2]))].filter((_, i) => i % 64 === 0)).toEqual([
      150, 50, 150,
    ]);
    expect((await loadDataset("patches", { base: path, geometry, limit: 3 })).hash).toBe(data.hash);
  });
  test("icons are drawn white on black", async () => {
    const path = join(folder, "icons");
    await mkdir(path);
    const body = '<path fill="currentColor" d="M0 0h24v12H0z"/>';
    await writeFile(
      join(path, "lucide.json"),
      JSON.stringify({ icons: { a: { body }, b: { body } } }),
    );
    const data = await loadDataset("icons", { base: path, geometry });
    expect(data.splits.test.count).toBe(2);
    const [image] = [await data.splits.test.images([0])];
    expect([image[0], image[63]]).toEqual([255, 0]);
    await writeFile(join(path, "lucide.json"), "{}");
    await expect(loadDataset("icons", { base: path, geometry })).rejects.toThrow(/holds no icons/);
  });
  test("each name says what it is", async () => {
    for (const entry of describeDatasets()) {
      expect(entry.summary.length).toBeGreaterThan(20);
      expect(typeof (await entry.isPresent())).toBe("boolean");
    }
  });
});
