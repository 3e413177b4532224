/** Sets that do not belong together are refused by name, file and both sizes. */
import { describe, expect, test } from "vitest";
import { memoryFeatures } from "../../src/io/index.ts";
import type { FeatureSource, Head } from "../../src/io/index.ts";
import { assertFit, assertNames, assertSource, setTitle } from "../../src/neco/checkSets.ts";
import { DataError, FormatError, UsageError } from "../../src/util/errors.ts";

/** Four rows of `dim` columns, with logits of `classes` classes where there are some. */
const made = (name: string, dim: number, classes = 0, rows = 4): FeatureSource => ({
  ...memoryFeatures(name, {
    features: new Float32Array(rows * dim),
    dim,
    logits: classes > 0 ? new Float32Array(rows * classes) : null,
  }),
  file: `${name}.npz`,
});
const head: Head = { weight: new Float32Array(15), bias: null, classes: 5, dim: 3 };
const base = made("train", 3, 5);

describe("sets that belong together", () => {
  test("pass: equal columns, equal classes or no logits", () => {
    expect(() => {
      assertFit({ base, head }, [made("test", 3), made("far", 3, 5)]);
    }).not.toThrow();
  });
  test("a set in memory has its name as title, one of a file both", () => {
    expect(setTitle(base)).toBe("train (train.npz)");
    expect(setTitle({ ...base, name: "train.npz" })).toBe("train.npz");
    expect(setTitle(memoryFeatures("m", { features: new Float32Array(2), dim: 2 }))).toBe("m");
  });
});

describe("sets that do not", () => {
  test.each<[string, FeatureSource, Head | null, RegExp]>([
    ["columns", made("far", 4), head, /^OOD set far \(far\.npz\) has 4 .*train\.npz\) has 3/],
    ["classes", made("far", 3, 6), head, /far\.npz\) has logits of 6 classes, the head has 5/],
    ["without head", made("far", 3, 6), null, /of 6 classes, those of train \(train.npz\) have 5/],
    ["empty", made("far", 3, 0, 0), head, /^OOD set far \(far\.npz\) is empty/],
  ])("%s", (_, set, given, message) => {
    const fit = (): void => {
      assertFit({ base, head: given }, [set], "OOD set");
    };
    expect(fit).toThrow(DataError);
    expect(fit).toThrow(message);
  });
  test("training logits of other classes than the head, a head of other columns", () => {
    expect(() => {
      assertFit({ base: made("train", 3, 7), head }, []);
    }).toThrow(/train\.npz\) has logits of 7 classes, the head has 5/);
    expect(() => {
      assertFit({ base: made("train", 4), head }, []);
    }).toThrow(FormatError);
  });
  test("a detector's", () => {
    expect(() => {
      assertSource(made("new", 3, 6), { dim: 3, head });
    }).toThrow(/new\.npz\) has logits of 6 classes, the detector's head has 5/);
    expect(() => {
      assertSource(made("new", 2), { dim: 3, head });
    }).toThrow(/has 2 feature columns, the detector was fitted on 3/);
  });
  test.each([["__proto__"], ["id"], ["far", "far"]])("names %s", (...names) => {
    const sets = names.map((name) => made(name, 3));
    expect(() => {
      assertNames(sets, ["id"]);
    }).toThrow(UsageError);
  });
});
