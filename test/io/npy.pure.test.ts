/** .npy against numpy's own files, round trips, and one test per broken rule. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ELEMENT_SIZES, hostArray, narrowArray } from "../../src/io/element.ts";
import { parseNpy, serialiseNpy } from "../../src/io/npy.ts";
import { loadFloats, loadInts, loadRows } from "../../src/io/store.ts";
import { FormatError } from "../../src/util/errors.ts";
import { fixture, sampleFeatures } from "./fixture.ts";

const open = async (name: string) => parseNpy(await readFile(fixture(name)), name);

describe("numpy's files", () => {
  test.each(["f4.npy", "f8-fortran.npy", "f2.npy", "f4-big-endian.npy", "version-3.npy"])(
    "%s holds the sample",
    async (name) => {
      const array = await open(name);
      expect(array.shape).toEqual([5, 3]);
      expect([...(await loadFloats(array))]).toEqual(sampleFeatures);
      expect([...(await loadRows(array, 1, 2))]).toEqual(sampleFeatures.slice(3, 9));
    },
  );
  test("64-bit labels become 32-bit", async () => {
    expect([...(await loadInts(await open("i8-labels.npy")))]).toEqual([0, 1, 1, 0, 1]);
  });
  test("a scalar has no axes", async () => {
    const array = await open("scalar.npy");
    expect(array.shape).toEqual([]);
    expect([...(await loadFloats(array))]).toEqual([2.5]);
  });
});

describe("broken rules", () => {
  const good = serialiseNpy(hostArray(new Float32Array(6), [2, 3]));
  const cases: [string, () => Promise<unknown>, RegExp][] = [
    ["object arrays", () => open("object.npy"), /"O" is not a real number.*astype/],
    ["complex arrays", () => open("complex.npy"), /"c8" is not a real number/],
    ["magic", () => parseNpy(new Uint8Array(64)), /no \.npy/],
    ["empty", () => parseNpy(new Uint8Array()), /cut short/],
    ["version", () => parseNpy(patch(good, 6, 9)), /version 9 is unknown/],
    ["header cap", () => parseNpy(patch(patch(good, 6, 2), 11, 1)), /above the cap/],
    ["cut short", () => parseNpy(good.slice(0, -1)), /needs 24 bytes but 23 follow/],
    ["header cut", () => parseNpy(good.slice(0, 40)), /cut short/],
    ["trailing bytes", () => parseNpy(Uint8Array.of(...good, 0)), /needs 24 bytes but 25 follow/],
    ["header text", () => parseNpy(patch(good, 12, 33)), /needs descr, fortran_order and shape/],
    [
      "bfloat16",
      () =>
        Promise.resolve().then(() => serialiseNpy(narrowArray(new Float32Array(1), [1], "bf16"))),
      /cannot hold bf16/,
    ],
  ];
  test.each(cases)("%s", async (_name, act, message) => {
    await expect(act()).rejects.toThrow(FormatError);
    await expect(act()).rejects.toThrow(message);
  });
});

test("round trip of any floats and shape", async () => {
  const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(shapes, fc.infiniteStream(fc.float()), async (shape, values) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const floats = Float32Array.from(values.take(size));
      const array = await parseNpy(serialiseNpy(hostArray(floats, shape)));
      expect(array.shape).toEqual(shape);
      expect(await loadFloats(array)).toEqual(floats);
      expect(array.offset % 64).toBe(0);
    }),
  );
});

test.each(Object.keys(ELEMENT_SIZES).filter((type) => type !== "bf16"))(
  "%s round trip",
  async (type) => {
    const values = {
      bool: Uint8Array.of(1, 0),
      u8: Uint8Array.of(1, 255),
      i8: Int8Array.of(-128, 127),
      u16: Uint16Array.of(1, 65535),
      i16: Int16Array.of(-5, 6),
      u32: Uint32Array.of(7, 2 ** 31),
      i32: Int32Array.of(-(2 ** 31), 5),
      u64: BigUint64Array.of(3n, 2n ** 40n),
      i64: BigInt64Array.of(-3n, 2n ** 40n),
      f16: Float32Array.of(0.5, -2),
      f32: Float32Array.of(0.1, -3),
      f64: Float64Array.of(0.25, 1e10),
    }[type];
    if (values === undefined) throw new Error(`no values for ${type}`);
    const array =
      type === "f16"
        ? narrowArray(Float32Array.of(0.5, -2), [2], "f16")
        : type === "bool"
          ? { ...hostArray(Uint8Array.of(1, 0)), dtype: "bool" as const }
          : hostArray(values);
    const read = await parseNpy(serialiseNpy(array));
    expect(read.dtype).toBe(type);
    const wanted: number[] = [];
    for (const value of values) wanted.push(Math.fround(Number(value)));
    expect([...(await loadFloats(read))]).toEqual(wanted);
  },
);

function patch(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[index] = value;
  return copy;
}
