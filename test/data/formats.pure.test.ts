/** IDX and CIFAR's binary layout, on files that the test makes. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCifar } from "../../src/data/cifar.ts";
import { parseIdx } from "../../src/data/idx.ts";
import { loadDataset } from "../../src/data/registry.ts";
import { FormatError } from "../../src/util/errors.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "neco-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

const idx = (shape: number[], bytes: Uint8Array) =>
  Uint8Array.of(
    0,
    0,
    8,
    shape.length,
    ...shape.flatMap((s) => [s >> 24, s >> 16, s >> 8, s]),
    ...bytes,
  );

/** Four IDX files of 2 × 2 images whose pixels are their index; labels count through 0…9. */
async function writeIdx(path: string, counts: { train: number; t10k: number }, name = "ubyte.gz") {
  await mkdir(path, { recursive: true });
  for (const [part, count] of Object.entries(counts)) {
    const pixels = Uint8Array.from({ length: count * 4 }, (_, i) => Math.floor(i / 4));
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    const pack = name.endsWith(".gz") ? gzipSync : (bytes: Uint8Array) => bytes;
    await writeFile(join(path, `${part}-images-idx3-${name}`), pack(idx([count, 2, 2], pixels)));
    await writeFile(join(path, `${part}-labels-idx1-${name}`), pack(idx([count], labels)));
  }
}

describe("IDX", () => {
  const good = idx([2, 1, 2], Uint8Array.of(1, 2, 3, 4));
  test("shape and elements", () => {
    expect(parseIdx(good, "f", 3)).toEqual({ shape: [2, 1, 2], values: Uint8Array.of(1, 2, 3, 4) });
  });
  const changed = (index: number, value: number) => {
    const copy = good.slice();
    copy[index] = value;
    return copy;
  };
  test.each([
    ["magic", changed(0, 1), 3, /no IDX file/],
    ["empty", new Uint8Array(), 3, /no IDX file/],
    ["element type", changed(2, 13), 3, /elements of type 13/],
    ["axes", good, 1, /has 3 axes where 1 are due; are images and labels exchanged/],
    ["header cut", good.slice(0, 10), 3, /cut short/],
    ["cut short", good.slice(0, -1), 3, /needs 4 bytes but 3 follow/],
  ])("%s", (_name, bytes, axes, message) => {
    expect(() => parseIdx(bytes, "x", axes)).toThrow(FormatError);
    expect(() => parseIdx(bytes, "x", axes)).toThrow(message);
  });
  test.each(["ubyte.gz", "ubyte"])(
    "a folder of %s files, validation held out of train",
    async (ending) => {
      const path = join(folder, `idx-${ending}`);
      await writeIdx(path, { train: 200, t10k: 20 }, ending);
      const data = await loadDataset("fashion-mnist", { base: path });
      expect(data.title).toBe("Fashion-MNIST");
      const { train, val, test: last } = data.splits;
      expect([train.count, val.count, last.count]).toEqual([190, 10, 20]);
      expect([...val.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect([...(await val.images([0]))]).toEqual([190, 190, 190, 190]);
      expect((await loadDataset(path)).hash).toBe(data.hash);
      expect((await loadDataset(path)).name).toBe(path);
    },
  );
  test("images without labels, counts that differ, broken gzip, nothing there", async () => {
    const path = join(folder, "idx-bad");
    await writeIdx(path, { train: 10, t10k: 10 });
    await writeFile(
      join(path, "train-labels-idx1-ubyte.gz"),
      gzipSync(idx([9], new Uint8Array(9))),
    );
    await expect(loadDataset("mnist", { base: path })).rejects.toThrow(/10 images, but 9 labels/);
    await writeFile(
      join(path, "train-labels-idx1-ubyte.gz"),
      gzipSync(idx([10], new Uint8Array(10))).subarray(0, 20),
    );
    await expect(loadDataset("mnist", { base: path })).rejects.toThrow(
      /is damaged and cannot be unpacked/,
    );
    await rm(join(path, "train-labels-idx1-ubyte.gz"));
    await expect(loadDataset("mnist", { base: path })).rejects.toThrow(
      /train-labels-idx1-ubyte\.gz is missing/,
    );
    await expect(loadDataset("no-such-set")).rejects.toThrow(
      /no such data set or folder; the names are mnist-10k, mnist,/,
    );
  });
});

describe("CIFAR", () => {
  /** Made-up records: label, then planes whose values are 1, 2, 3 plus the pixel's index. */
  const record = (labels: number[]) =>
    Uint8Array.from([
      ...labels,
      ...Array.from({ length: 3072 }, (_, i) => (Math.floor(i / 1024) + 1 + (i % 1024)) % 256),
    ]);
  const records = (count: number, label: (i: number) => number[]) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => record(label(i))));
  test("planes become interleaved pixels", () => {
    const { pixels, labels } = parseCifar(record([7]), "x", { classes: 10, labelBytes: 1 });
    expect([...labels]).toEqual([7]);
    expect([...pixels.subarray(0, 6)]).toEqual([1, 2, 3, 2, 3, 4]);
  });
  test("the fine label of CIFAR-100 is the second byte", () => {
    const { labels } = parseCifar(record([3, 77]), "x", { classes: 100, labelBytes: 2 });
    expect([...labels]).toEqual([77]);
  });
  test.each([
    [record([1]).slice(1), /3072 bytes are no whole number of records of 3073/],
    [new Uint8Array(), /0 bytes are no whole number/],
    [record([10]), /image 0 has label 10, outside 0…9/],
  ])("broken records %#", (bytes, message) => {
    expect(() => parseCifar(bytes, "data_batch_1.bin", { classes: 10, labelBytes: 1 })).toThrow(
      message,
    );
  });
  test("a part of CIFAR-10 in a folder", async () => {
    const path = join(folder, "cifar");
    await mkdir(path);
    await writeFile(
      join(path, "data_batch_1.bin"),
      records(40, (i) => [i % 10]),
    );
    await expect(loadDataset(path)).rejects.toThrow(/holds no test_batch\.bin/);
    await writeFile(
      join(path, "test_batch.bin"),
      records(3, (i) => [i]),
    );
    await writeFile(join(path, "batches.meta.txt"), "plane\ncar\n\n");
    const data = await loadDataset(path);
    expect([data.title, data.width, data.channels, data.name]).toEqual(["CIFAR-10", 32, 3, path]);
    expect(data.classes.slice(0, 3)).toEqual(["plane", "car", "2"]);
    expect([data.splits.train.count, data.splits.val.count, data.splits.test.count]).toEqual([
      30, 10, 3,
    ]);
    expect([...data.splits.test.labels]).toEqual([0, 1, 2]);
  });
  test("CIFAR-100 in a folder", async () => {
    const path = join(folder, "cifar100");
    await mkdir(path);
    await writeFile(
      join(path, "train.bin"),
      records(4, (i) => [0, i]),
    );
    await writeFile(
      join(path, "test.bin"),
      records(2, () => [0, 99]),
    );
    expect((await loadDataset(path)).classes.length).toBe(100);
  });
});
