/** Splits, subsets and conversion: arithmetic on made-up images, no files. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { convertImage, toGeometry } from "../../src/data/convert.ts";
import { memorySplit, pickSplit, type ImageDataset } from "../../src/data/dataset.ts";
import { holdOut, partition, takeTurns } from "../../src/data/partition.ts";
import { parseSpec } from "../../src/data/registry.ts";
import { centreBox, convertChannels, crop, flatten, resize } from "../../src/data/resize.ts";
import { parseClasses, selectClasses, takeFirst, withoutClasses } from "../../src/data/subset.ts";
import { UsageError } from "../../src/util/errors.ts";

/** Images of 1 × 2 grey pixels: index, label. */
function madeDataset(labels: number[]): ImageDataset {
  const pixels = Uint8Array.from(labels.flatMap((label, index) => [index, label]));
  const split = memorySplit(pixels, Int32Array.from(labels), 2);
  return {
    name: "made",
    title: "Made",
    credit: "",
    classes: ["a", "b", "c"],
    height: 1,
    width: 2,
    channels: 1,
    mean: [0],
    std: [1],
    splits: { train: split, val: split, test: split },
    hash: "",
  };
}

describe("partition", () => {
  test("per class in file order: 80, 5, 15 %, classes taking turns", () => {
    const labels = Int32Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : 1));
    const { train, val, test: last } = partition(labels, 2, { train: 80, val: 5 });
    expect(train.slice(0, 4)).toEqual([0, 20, 1, 21]);
    expect([train.length, val, last]).toEqual([32, [16, 36], [17, 37, 18, 38, 19, 39]]);
  });
  test("every image lands in exactly one split", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3)), fc.nat(100), (labels, percent) => {
        const parts = partition(Int32Array.from(labels), 4, { train: percent, val: 100 - percent });
        const all = [...parts.train, ...parts.val, ...parts.test].sort((a, b) => a - b);
        expect(all).toEqual(labels.map((_, index) => index));
      }),
    );
  });
  test("held out are the last of each class, in file order", () => {
    const labels = Int32Array.from({ length: 60 }, (_, i) => i % 2);
    expect(holdOut(labels, 2, 5).val).toEqual([58, 59]);
    expect(holdOut(Int32Array.of(0, 0, 1), 2, 5)).toEqual({ train: [0, 2], val: [1] });
  });
  test("turns", () => {
    expect(takeTurns([[1, 2, 3], [], [4]])).toEqual([1, 4, 2, 3]);
  });
});

describe("splits", () => {
  test("a pick keeps images and labels together", async () => {
    const { train } = madeDataset([2, 1, 0]).splits;
    const picked = pickSplit(train, [2, 0], (label) => label + 5);
    expect([...picked.labels]).toEqual([5, 7]);
    expect([...(await picked.images([1, 0]))]).toEqual([0, 2, 2, 0]);
  });
});

describe("subset", () => {
  test("classes are chosen and counted anew", async () => {
    const part = selectClasses(madeDataset([2, 1, 0, 2]), ["c", "a"]);
    expect(part.classes).toEqual(["c", "a"]);
    expect([...part.splits.test.labels]).toEqual([0, 1, 0]);
    expect([...(await part.splits.test.images([1, 2]))]).toEqual([2, 0, 3, 2]);
  });
  test("known and held-out classes are disjoint and complete", () => {
    const whole = madeDataset([0, 1, 2, 0, 1, 2]);
    const known = withoutClasses(whole, ["c"]);
    const held = selectClasses(whole, ["c"]);
    expect(known.splits.train.count + held.splits.train.count).toBe(6);
    expect(known.classes).toEqual(["a", "b"]);
  });
  test("the first few take turns", () => {
    const few = takeFirst(madeDataset([0, 0, 0, 1, 2]), 3);
    expect([...few.splits.train.labels]).toEqual([0, 1, 2]);
    expect(takeFirst(madeDataset([0, 1]), 9).splits.train.count).toBe(2);
  });
  test("wrong wishes", () => {
    const whole = madeDataset([0, 1, 2]);
    expect(() => selectClasses(whole, ["x"])).toThrow(/made has no class "x"; it has a, b, c/);
    expect(() => selectClasses(whole, ["a", "a"])).toThrow(UsageError);
    expect(() => selectClasses(whole, [])).toThrow(/at least one/);
    expect(() => takeFirst(whole, 0)).toThrow(/limit of 0/);
    expect(() => parseClasses("1-7", ["a", "b"])).toThrow(/indices run from 0 to 1/);
  });
  test("lists and ranges", () => {
    expect(parseClasses("0-1,c", ["a", "b", "c"])).toEqual(["a", "b", "c"]);
    expect(parseClasses("3-4", ["3-4"])).toEqual(["3-4"]);
  });
  test.each([
    ["mnist-10k", "mnist-10k", undefined, undefined],
    ["mnist-10k:0-7", "mnist-10k", "0-7", undefined],
    ["fashion-mnist:T-shirt/top,Bag#9", "fashion-mnist", "T-shirt/top,Bag", 9],
    ["/a/b", "/a/b", undefined, undefined],
    ["/a/b:cat,dog", "/a/b", "cat,dog", undefined],
    ["C:\\data\\x", "C:\\data\\x", undefined, undefined],
  ])("%s", (text, source, classes, limit) => {
    expect(parseSpec(text)).toEqual({ source, classes, limit });
  });
});

describe("geometry", () => {
  test("grey is luma, colour is repeated grey", () => {
    expect([...convertChannels(Uint8Array.of(255, 0, 0, 0, 255, 0), 3, 1)]).toEqual([76, 150]);
    expect([...convertChannels(Uint8Array.of(5, 9), 1, 3)]).toEqual([5, 5, 5, 9, 9, 9]);
  });
  test("alpha lays the image over the background", () => {
    expect([...flatten(Uint8Array.of(100, 0, 200, 0, 10, 20, 30, 255), 255)]).toEqual([
      255, 255, 255, 10, 20, 30,
    ]);
  });
  test("a constant stays constant at any size", () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (value, from, to) => {
          const pixels = new Uint8Array(from * 3).fill(value);
          const out = resize(
            pixels,
            { height: from, width: 3, channels: 1 },
            { height: to, width: to },
          );
          expect(out).toEqual(new Uint8Array(to * to).fill(value));
        },
      ),
    );
  });
  test("bilinear as Pillow does it", () => {
    // Image.fromarray(np.array([[0, 100, 200, 40]], np.uint8)).resize((2, 1) and (6, 1), BILINEAR)
    const row = Uint8Array.of(0, 100, 200, 40);
    const from = { height: 1, width: 4, channels: 1 } as const;
    expect([...resize(row, from, { height: 1, width: 2 })]).toEqual([71, 117]);
    expect([...resize(row, from, { height: 1, width: 6 })]).toEqual([0, 50, 117, 183, 120, 40]);
  });
  test("crops", () => {
    const pixels = Uint8Array.from({ length: 12 }, (_, i) => i);
    expect([
      ...crop(
        pixels,
        { height: 3, width: 4, channels: 1 },
        { top: 1, left: 1, height: 2, width: 2 },
      ),
    ]).toEqual([5, 6, 9, 10]);
    expect(centreBox({ height: 10, width: 30, channels: 1 }, { height: 5, width: 5 })).toEqual({
      top: 0,
      left: 10,
      height: 10,
      width: 10,
    });
  });
  test("a data set in another one's geometry", async () => {
    const target = {
      ...madeDataset([0]),
      height: 2,
      width: 2,
      channels: 3 as const,
      mean: [1, 2, 3],
      std: [4, 5, 6],
    };
    const converted = toGeometry(madeDataset([0, 1]), target);
    expect([converted.height, converted.channels, converted.mean]).toEqual([2, 3, [1, 2, 3]]);
    expect((await converted.splits.test.images([0, 1])).length).toBe(24);
    expect(
      convertImage(
        Uint8Array.of(9),
        { height: 1, width: 1, channels: 1 },
        { height: 2, width: 2, channels: 3 },
      ),
    ).toEqual(new Uint8Array(12).fill(9));
  });
});
