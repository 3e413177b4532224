/** safetensors: the numbered rules of the format, one test each, and round trips. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostArray, narrowArray, type HostArray } from "../../src/io/element.ts";
import { parseSafetensors, serialiseSafetensors } from "../../src/io/safetensors.ts";
import { loadFloats, loadInts, loadRows, type ArrayStore } from "../../src/io/store.ts";
import { FormatError } from "../../src/util/errors.ts";
import { fixture, sampleFeatures } from "./fixture.ts";

const floats = async (store: ArrayStore, name: string) => {
  const array = await store.find(name);
  return array ? [...(await loadFloats(array))] : null;
};

test("a file made without this code", async () => {
  const store = await parseSafetensors(await readFile(fixture("numpy.safetensors")));
  expect(store.metadata).toEqual({ format: "pt" });
  expect(store.names).toEqual(["head.weight", "head.bias", "features", "labels"]);
  expect(await floats(store, "features")).toEqual(sampleFeatures);
  expect(await floats(store, "head.bias")).toEqual([0.5, -0.5]);
  const labels = await store.find("labels");
  expect(labels && [...(await loadInts(labels))]).toEqual([0, 1, 1, 0, 1]);
  const features = await store.find("features");
  expect(features && [...(await loadRows(features, 3, 1))]).toEqual(sampleFeatures.slice(9, 12));
  expect(await store.find("absent")).toBeNull();
});

/** A file with the given header text (or object) over `size` bytes of data. */
function raw(header: unknown, size = 4): Uint8Array {
  const text = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const tensor = (begin: number, end: number, dtype = "F32") => ({
  dtype,
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
});
const invalidUtf8 = raw('{"a?":1}');
invalidUtf8[10] = 0xff;
const hugeHeader = new Uint8Array(16).fill(255);

describe("broken rules", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["shorter than the length", new Uint8Array(5), /cut short/],
    ["header above the cap", hugeHeader, /above the cap of 100000000/],
    ["header past the end", raw("{}").slice(0, 9), /cut short/],
    ["header not {", raw(" {}", 0), /does not start with/],
    ["not UTF-8", invalidUtf8, /not UTF-8/],
    ["not JSON", raw("{a", 0), /not JSON/],
    [
      "a key twice",
      raw('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":1}', 0),
      /"a" twice/,
    ],
    ["entry no object", raw({ a: 3 }), /"a" has dtype undefined/],
    ["dtype unknown", raw({ a: tensor(0, 4, "F8_E4M3") }), /F8_E4M3, which is not read/],
    [
      "negative size",
      raw({ a: { dtype: "F32", shape: [-1], data_offsets: [0, 4] } }),
      /no list of sizes/,
    ],
    [
      "shape no list",
      raw({ a: { dtype: "F32", shape: 1, data_offsets: [0, 4] } }),
      /no list of sizes/,
    ],
    ["offsets missing", raw({ a: { dtype: "F32", shape: [1] } }), /no two offsets/],
    [
      "three offsets",
      raw({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }),
      /no two offsets/,
    ],
    [
      "offsets against shape",
      raw({ a: { dtype: "F32", shape: [2], data_offsets: [0, 4] } }),
      /needs 8 bytes, but its data_offsets span 4/,
    ],
    ["offsets reversed", raw({ a: { dtype: "F32", shape: [1], data_offsets: [4, 0] } }), /span -4/],
    ["overlap", raw({ a: tensor(0, 8), b: tensor(4, 12) }, 12), /overlap or leave a gap/],
    ["gap", raw({ a: tensor(0, 4), b: tensor(8, 12) }, 12), /starts at byte 8 where 4 was due/],
    ["first does not start at 0", raw({ a: tensor(4, 8) }, 8), /starts at byte 4 where 0 was due/],
    ["cut short", raw({ a: tensor(0, 8) }, 7), /cut short: 7 of 8 bytes/],
    ["bytes left over", raw({ a: tensor(0, 4) }, 5), /1 bytes that belong to no tensor/],
    ["metadata of numbers", raw({ __metadata__: { a: 1 }, a: tensor(0, 4) }), /strings to strings/],
  ];
  test.each(cases)("%s", async (_name, bytes, message) => {
    await expect(parseSafetensors(bytes, "w.safetensors")).rejects.toThrow(FormatError);
    await expect(parseSafetensors(bytes, "w.safetensors")).rejects.toThrow(message);
    await expect(parseSafetensors(bytes, "w.safetensors")).rejects.toThrow(
      /^w\.safetensors: [^\n]+$/,
    );
  });
  test("a nested repeated key is no repeated tensor", async () => {
    const store = await parseSafetensors(
      raw('{"shape":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
    );
    expect(store.names).toEqual(["shape"]);
  });
});

test("round trip of any tensors and metadata", async () => {
  const array = fc
    .tuple(fc.array(fc.nat(4), { maxLength: 3 }), fc.constantFrom("f32", "f16", "u8"))
    .map(([shape, type]): HostArray => {
      const size = shape.reduce((a, b) => a * b, 1);
      const values = Float32Array.from({ length: size }, (_, i) => i - 2);
      return type === "u8"
        ? hostArray(new Uint8Array(size).fill(7), shape)
        : narrowArray(values, shape, type === "f16" ? "f16" : "f32");
    });
  const names = fc
    .string({ minLength: 1 })
    .filter((name) => name !== "__metadata__" && name !== "__proto__");
  const strings = fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, array), strings, async (arrays, metadata) => {
      const bytes = await serialiseSafetensors(arrays, metadata);
      const store = await parseSafetensors(bytes);
      expect({ ...store.metadata }).toEqual({ ...metadata });
      expect([...store.names].sort()).toEqual(Object.keys(arrays).sort());
      for (const [name, { shape, bytes: wanted }] of Object.entries(arrays)) {
        const found = await store.find(name);
        expect(found?.shape).toEqual(shape);
        expect(found && (await found.range.read(found.offset, wanted.length))).toEqual(
          new Uint8Array(wanted),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test("no prefix of a file is accepted", async () => {
  const bytes = await serialiseSafetensors({ a: hostArray(Float32Array.of(1, 2)) }, { k: "v" });
  for (let length = 0; length < bytes.length; length++)
    await expect(parseSafetensors(bytes.slice(0, length))).rejects.toThrow(FormatError);
});
