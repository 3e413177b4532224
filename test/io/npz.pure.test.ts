/** .npz against numpy's own archives, round trips, and broken archives. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../src/io/crc32.ts";
import { hostArray } from "../../src/io/element.ts";
import { npzWriter, parseNpz, serialiseNpz } from "../../src/io/npz.ts";
import { memorySink } from "../../src/io/range.ts";
import { loadFloats, loadInts, loadRows, type ArrayStore } from "../../src/io/store.ts";
import { zipDirectory } from "../../src/io/zip-write.ts";
import { DataError, FormatError } from "../../src/util/errors.ts";
import { fixture, sampleFeatures } from "./fixture.ts";

const open = async (name: string) => parseNpz(await readFile(fixture(name)), name);
const get = async (store: ArrayStore, name: string) => {
  const array = await store.find(name);
  if (array === null) throw new Error(`no ${name}`);
  return array;
};

describe("numpy's archives", () => {
  test("stored", async () => {
    const store = await open("stored.npz");
    expect(store.names).toEqual(["features", "labels", "logits", "W", "b"]);
    const features = await get(store, "features");
    expect(features.dtype).toBe("f16");
    expect([...(await loadRows(features, 2, 3))]).toEqual(sampleFeatures.slice(6));
    expect([...(await loadInts(await get(store, "labels")))]).toEqual([0, 1, 1, 0, 1]);
    expect(await store.find("nothing")).toBeNull();
  });
  test("deflated, Fortran order", async () => {
    const store = await open("deflated-fortran.npz");
    const features = await get(store, "features");
    expect(features.fortran).toBe(true);
    expect([...(await loadFloats(features))]).toEqual(sampleFeatures);
    expect([...(await loadRows(features, 1, 2))]).toEqual(sampleFeatures.slice(3, 9));
    expect([...(await loadFloats(await get(store, "fc.bias")))]).toEqual([0.5, -0.5]);
  });
});

test("round trip of any arrays", async () => {
  const names = fc.string({ minLength: 1 }).filter((name) => !["__proto__"].includes(name));
  const arrays = fc.dictionary(names, fc.float32Array({ maxLength: 20 }), { minKeys: 1 });
  await fc.assert(
    fc.asyncProperty(arrays, async (values) => {
      const hosts = Object.fromEntries(Object.entries(values).map(([k, v]) => [k, hostArray(v)]));
      const store = await parseNpz(await serialiseNpz(hosts));
      for (const [name, wanted] of Object.entries(values))
        expect(await loadFloats(await get(store, name))).toEqual(wanted);
    }),
    { numRuns: 50 },
  );
});

test("metadata survives, and equal content gives equal bytes", async () => {
  const arrays = { features: hostArray(new Float32Array(4), [2, 2]) };
  const bytes = await serialiseNpz(arrays, { checkpoint: "abc" });
  expect((await parseNpz(bytes)).metadata).toEqual({ checkpoint: "abc" });
  expect(await serialiseNpz(arrays, { checkpoint: "abc" })).toEqual(bytes);
});

describe("writing by pieces", () => {
  const layouts = [
    { name: "features", dtype: "f32", shape: [2, 2] },
    { name: "labels", dtype: "i32", shape: [2] },
  ] as const;
  test("several arrays at a time", async () => {
    let sink = memorySink(0);
    const writer = await npzWriter(layouts, {}, (size) => (sink = memorySink(size)));
    for (const row of [0, 1]) {
      await writer.append("features", hostArray(Float32Array.of(row, row + 0.5)).bytes);
      await writer.append("labels", hostArray(Int32Array.of(row)).bytes);
    }
    await writer.finish();
    const store = await parseNpz(sink.bytes);
    expect([...(await loadFloats(await get(store, "features")))]).toEqual([0, 0.5, 1, 1.5]);
    expect([...(await loadInts(await get(store, "labels")))]).toEqual([0, 1]);
  });
  test("too few, too many, unknown", async () => {
    const writer = await npzWriter(layouts, {}, memorySink);
    await expect(writer.append("x", new Uint8Array(1))).rejects.toThrow(/no array "x" is planned/);
    await expect(writer.append("labels", new Uint8Array(9))).rejects.toThrow(DataError);
    await expect(writer.finish()).rejects.toThrow(/"features" \[2, 2\] is not filled/);
  });
});

describe("broken archives", () => {
  test("no prefix of an archive is accepted", async () => {
    const bytes = await serialiseNpz({ a: hostArray(Float32Array.of(1, 2)) });
    for (let length = 0; length < bytes.length; length += 7)
      await expect(parseNpz(bytes.slice(0, length))).rejects.toThrow(FormatError);
  });
  test("another packing", async () => {
    await expect(open("lzma.npz")).rejects.toThrow(/packed by method 14; use numpy\.savez/);
  });
  test("no arrays", async () => {
    await expect(parseNpz(zipDirectory([], 0))).rejects.toThrow(/holds no arrays/);
  });
  test("a flipped bit in a deflated member", async () => {
    const bytes = new Uint8Array(await readFile(fixture("deflated-fortran.npz")));
    bytes[90] = (bytes[90] ?? 0) ^ 4;
    const store = await parseNpz(bytes, "x.npz");
    await expect(store.find("features")).rejects.toThrow(/^x\.npz: "features\.npy" is damaged/);
  });
  test("a flipped bit in a stored member, by the read that completes it", async () => {
    const bytes = await serialiseNpz({ a: hostArray(Float32Array.of(1, 2, 3, 4)) });
    const whole = await parseNpz(bytes.slice());
    expect([...(await loadFloats(await get(whole, "a")))]).toEqual([1, 2, 3, 4]);
    const at = bytes.length - 22 - 46 - "a.npy".length - 2;
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    const damaged = await get(await parseNpz(bytes, "x.npz"), "a");
    await expect(loadFloats(damaged)).rejects.toThrow(/^x\.npz: "a\.npy" is damaged/);
  });
  test("a damaged directory", async () => {
    const bytes = await serialiseNpz({ a: hostArray(Float32Array.of(1, 2)) });
    const directory = bytes.length - 22 - 46 - "a.npy".length;
    bytes[directory] = 0;
    await expect(parseNpz(bytes)).rejects.toThrow(/directory is damaged at entry 0/);
  });
  test("encrypted", async () => {
    const bytes = await serialiseNpz({ a: hostArray(Float32Array.of(1, 2)) });
    bytes[bytes.length - 22 - 46 - "a.npy".length + 8] = 1;
    await expect(parseNpz(bytes)).rejects.toThrow(/"a\.npy" is encrypted/);
  });
});

test("zip64 directories are written and read", async () => {
  const big = 5 * 2 ** 32;
  const directory = zipDirectory([{ name: "a.npy", size: big, crc: 1, headerOffset: big + 9 }], 0);
  const store = parseNpz(directory, "big.npz");
  expect((await store).names).toEqual(["a"]);
  await expect((await store).find("a")).rejects.toThrow(/cut short/);
});

test("crc32 in pieces equals crc32 of the whole, and the standard check value", () => {
  const bytes = new TextEncoder().encode("123456789");
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
});

test("a deflated member that claims an impossible size is refused before memory is taken", async () => {
  const bytes = new Uint8Array(await readFile(fixture("deflated-fortran.npz")));
  const view = new DataView(bytes.buffer);
  let at = bytes.length - 4;
  while (
    view.getUint32(at, true) !== 0x02014b50 ||
    bytes[at + 46] !== "f".charCodeAt(0) ||
    bytes[at + 47] !== "e".charCodeAt(0)
  )
    at--;
  view.setUint32(at + 24, 2_000_000_000, true);
  const store = await parseNpz(bytes);
  await expect(store.find("features")).rejects.toThrow(/cannot inflate to the 2000000000 bytes/);
});
