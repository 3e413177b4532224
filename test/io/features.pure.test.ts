/** The feature-file contract: every format, every head name, every way to get it wrong. */
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostArray } from "../../src/io/element.ts";
import {
  checkFinite,
  checkHead,
  checkLabels,
  createFeatures,
  memoryFeatures,
  openFeatures,
  openHead,
  storeArrays,
  writeFeatures,
} from "../../src/io/index.ts";
import { DataError, FormatError, UsageError } from "../../src/util/errors.ts";
import { fixture, sampleFeatures } from "./fixture.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "neco-io-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("numpy's feature files", () => {
  test("features in f16, labels in i64, logits and head", async () => {
    const file = await openFeatures(fixture("stored.npz"), "id");
    expect([file.name, file.rows, file.dim, file.classes]).toEqual(["id", 5, 3, 2]);
    expect([...(file.labels ?? [])]).toEqual([0, 1, 1, 0, 1]);
    expect([...(await file.features(0, 5))]).toEqual(sampleFeatures);
    expect([...((await file.logits?.(4, 1)) ?? [])]).toEqual([0, 1.0625]);
    await file.close();
    const head = await openHead(fixture("stored.npz"));
    expect([head.classes, head.dim, [...(head.bias ?? [])]]).toEqual([2, 3, [0.5, -0.5]]);
  });
  test.each(["deflated-fortran.npz", "numpy.safetensors", "float-labels.npz"])(
    "%s",
    async (name) => {
      const file = await openFeatures(fixture(name));
      expect([...(await file.features(2, 2))]).toEqual(sampleFeatures.slice(6, 12));
      expect([...(file.labels ?? [])]).toEqual([0, 1, 1, 0, 1]);
      expect(file.logits).toBeNull();
      await file.close();
    },
  );
  test("a bare .npy is features", async () => {
    const file = await openFeatures(fixture("f8-fortran.npy"));
    expect([file.dim, file.labels]).toEqual([3, null]);
    await file.close();
  });
});

describe("head names", () => {
  test.each([
    ["W", "b"],
    ["weight", "bias"],
    ["head.weight", "head.bias"],
    ["fc.weight", "fc.bias"],
    ["classifier.weight", "classifier.bias"],
  ])("%s, %s", async (weight, bias) => {
    const path = join(folder, `${weight}.safetensors`);
    await storeArrays(path, {
      [weight]: hostArray(new Float32Array(6), [2, 3]),
      [bias]: hostArray(Float32Array.of(1, 2)),
    });
    expect([...((await openHead(path)).bias ?? [])]).toEqual([1, 2]);
    await storeArrays(path, { [weight]: hostArray(new Float32Array(6), [2, 3]) });
    expect((await openHead(path)).bias).toBeNull();
  });
  test("none, wrong shapes, transposed", async () => {
    const path = join(folder, "head.npz");
    await storeArrays(path, { x: hostArray(Float32Array.of(1)) });
    await expect(openHead(path)).rejects.toThrow(/holds no head: it has x\. Save it with/);
    await storeArrays(path, { W: hostArray(Float32Array.of(1)) });
    await expect(openHead(path)).rejects.toThrow(/"W" must be a matrix.*\[1\]/);
    await storeArrays(path, {
      W: hostArray(new Float32Array(6), [2, 3]),
      b: hostArray(new Float32Array(3)),
    });
    await expect(openHead(path)).rejects.toThrow(/"b" \[3\] does not fit "W" \[2, 3\]/);
    const head = { weight: new Float32Array(6), bias: null, classes: 2, dim: 3 };
    expect(() => {
      checkHead(head, 2, "h");
    }).toThrow(/\[2, 3\] does not take features of 2 columns; it is transposed/);
    expect(() => {
      checkHead(head, 5, "h");
    }).toThrow(/5 columns$/);
  });
  test("NaN and Inf", () => {
    const shape = { classes: 2, dim: 3 };
    expect(() => {
      const weight = Float32Array.of(0, 0, 0, 0, NaN, 0);
      checkHead({ weight, bias: null, ...shape }, 3, "head.npz");
    }).toThrow(/head\.npz.*the head's W\[1, 1\] is NaN: no method can use it/);
    expect(() => {
      const bias = Float32Array.of(0, -Infinity);
      checkHead({ weight: new Float32Array(6), bias, ...shape }, 3, "head.npz");
    }).toThrow(/the head's b\[1\] is -Infinity/);
  });
});

describe("files that do not fit the contract", () => {
  const cases: [string, RegExp][] = [
    ["half-labels.npz", /"labels" must hold 32-bit whole numbers, but element 0 is 0\.5/],
    ["short-labels.npz", /"labels" \[3\] does not fit the 5 rows/],
    ["i8-labels.npy", /"features" must be a matrix of floats.*i64 \[5\]/],
    ["complex.npy", /not a real number/],
  ];
  test.each(cases)("%s", async (name, message) => {
    await expect(openFeatures(fixture(name))).rejects.toThrow(FormatError);
    await expect(openFeatures(fixture(name))).rejects.toThrow(message);
  });
  test("missing, empty, other arrays, an unknown kind", async () => {
    await expect(openFeatures(join(folder, "absent.npz"))).rejects.toThrow(DataError);
    const path = join(folder, "bad.npz");
    await writeFile(path, "");
    await expect(openFeatures(path)).rejects.toThrow(/is empty/);
    await storeArrays(path, { x: hostArray(Float32Array.of(1)) });
    await expect(openFeatures(path)).rejects.toThrow(/holds no "features".*it has x\. Save it/);
    await writeFile(path, "hello, this is no array file");
    await expect(openFeatures(path)).rejects.toThrow(/does not start as numpy's files do/);
    const tensors = join(folder, "bad.safetensors");
    await writeFile(tensors, "hello, this is no array file");
    await expect(openFeatures(tensors)).rejects.toThrow(/is no safetensors file/);
    await expect(storeArrays(join(folder, "a.txt"), {})).rejects.toThrow(UsageError);
  });
  test("logits of other rows", async () => {
    const path = join(folder, "logits.npz");
    await storeArrays(path, {
      features: hostArray(new Float32Array(6), [2, 3]),
      logits: hostArray(new Float32Array(6), [3, 2]),
    });
    await expect(openFeatures(path)).rejects.toThrow(/"logits" \[3, 2\] does not fit the 2 rows/);
  });
});

describe("writing", () => {
  const arrays = {
    features: Float32Array.from(sampleFeatures),
    dim: 3,
    labels: Int32Array.of(0, 1, 1, 0, 1),
    logits: Float32Array.from({ length: 10 }, (_, i) => i / 3),
  };
  const head = {
    weight: Float32Array.of(1, 2, 3, 4, 5, 6),
    bias: Float32Array.of(7, 8),
    classes: 2,
    dim: 3,
  };
  test.each(["a.npz", "a.safetensors"])("%s round trip", async (name) => {
    const path = join(folder, name);
    await writeFeatures(path, arrays, { head, metadata: { step: "7" }, dtype: "f16" });
    const file = await openFeatures(path);
    expect(file.metadata).toEqual({ step: "7" });
    expect([...(await file.features(0, 5))]).toEqual(sampleFeatures);
    expect(await file.logits?.(0, 5)).toEqual(arrays.logits);
    expect(file.labels).toEqual(arrays.labels);
    expect(await openHead(path)).toEqual(head);
    await file.close();
  });
  test("csv round trip, in the reference's layout", async () => {
    const path = join(folder, "a.csv");
    await writeFeatures(path, { ...arrays, logits: null });
    expect((await readFile(path, "utf8")).split("\n").slice(0, 2)).toEqual([
      ",ct0,ct1,ct2,label",
      "0,-1,-0.75,-0.5,0.0",
    ]);
    const file = await openFeatures(path);
    expect([...(await file.features(1, 3))]).toEqual(sampleFeatures.slice(3, 12));
    expect(file.labels).toEqual(arrays.labels);
    await file.close();
  });
  test("block by block; nothing is left of a file that is given up or unfinished", async () => {
    const path = join(folder, "blocks.npz");
    const layout = { rows: 2, dim: 2, classes: null, hasLabels: false };
    const writer = await createFeatures(path, layout);
    await writer.append({ features: Float32Array.of(1, 2) });
    await expect(writer.finish()).rejects.toThrow(/is not filled/);
    await writer.append({ features: Float32Array.of(3, 4) });
    await writer.finish();
    const file = await openFeatures(path);
    expect([...(await file.features(0, 2))]).toEqual([1, 2, 3, 4]);
    await file.close();
    const other = await createFeatures(join(folder, "gone.npz"), layout);
    await expect(
      other.append({ features: Float32Array.of(1), labels: Int32Array.of(1) }),
    ).rejects.toThrow(/planned to hold/);
    await other.abort();
    expect((await readdir(folder)).filter((name) => name.includes("gone"))).toEqual([]);
  });
  test("an unwritable place is named", async () => {
    await writeFile(join(folder, "plain"), "");
    await expect(writeFeatures(join(folder, "plain", "x.npz"), arrays)).rejects.toThrow(
      /cannot write .*plain/,
    );
  });
});

test("checks of values", async () => {
  const file = await openFeatures(fixture("nan.npz"));
  const block = await file.features(1, 4);
  expect(() => {
    checkFinite("id", block, 3);
  }).toThrow(/id: 1 of 12 values are NaN or infinite, the first \(NaN\) at index 4;/);
  expect(() => {
    checkFinite("id", Float32Array.of(0, 1));
  }).not.toThrow();
  expect(() => {
    checkLabels("id", Int32Array.of(0, 2), 2);
  }).toThrow(/label 2 at row 1 is outside 0…1/);
  await file.close();
});

test("arrays in memory must fit together", () => {
  expect(() => memoryFeatures("m", { features: new Float32Array(5), dim: 2 })).toThrow(
    /no rows of 2/,
  );
  expect(() =>
    memoryFeatures("m", { features: new Float32Array(4), dim: 2, labels: new Int32Array(3) }),
  ).toThrow(/2 rows of features but 3 labels/);
  expect(() =>
    memoryFeatures("m", { features: new Float32Array(4), dim: 2, logits: new Float32Array(3) }),
  ).toThrow(/do not divide/);
});
