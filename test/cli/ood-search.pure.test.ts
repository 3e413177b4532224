/** A search must not see the test sets. */
import { expect, test } from "vitest";
import { assertUnseen } from "../../src/cli/ood-search.ts";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource } from "../../src/io/index.ts";

/** Ten rows whose values begin somewhere. */
const set = (name: string, start: number): FeatureSource =>
  memoryFeatures(name, {
    features: Float32Array.from({ length: 20 }, (_, index) => start + index),
    dim: 2,
  });

const tests = {
  test: set("test", 100),
  ood: [{ source: set("svhn", 300), group: "far" as const }],
};

const check = (idStart: number, oodStart: number): Promise<void> =>
  assertUnseen({ id: set("val", idStart), ood: [set("v", oodStart)] }, tests);

test("OOD validation features that are a test set's are refused", async () => {
  await expect(check(200, 300)).rejects.toThrow(
    /--ood-val v holds the samples of --ood svhn: a search must not see the test sets/,
  );
  await expect(check(200, 100)).rejects.toThrow(/--ood-val v holds the samples of the ID test set/);
});

test("ID validation features that are the test set are refused", async () => {
  await expect(check(100, 400)).rejects.toThrow(
    /the ID validation set holds the samples of the ID test set/,
  );
});

test("the same images are refused, whatever their features", async () => {
  const [own, other] = [set("a", 1), set("b", 2)].map((source) => ({ ...source, key: "images" }));
  const sets = { ...tests, ood: [{ source: other!, group: "near" as const }] };
  await expect(assertUnseen({ id: set("val", 200), ood: [own!] }, sets)).rejects.toThrow(
    /--ood-val a holds the samples of --ood b/,
  );
});

test("sets of their own pass", async () => {
  await expect(check(200, 400)).resolves.toBeUndefined();
});
