/** `--param METHOD.NAME=VALUE`. */
import { describe, expect, test } from "vitest";
import { methodParams } from "../../src/cli/method-params.ts";

describe("--param", () => {
  test("by method, under its own name; numbers, words, the last of two", () => {
    expect(
      methodParams([
        "react.quantile=0.9",
        "ash.percentile=90",
        "she.likeness=cosine",
        "react.quantile=0.95",
      ]),
    ).toEqual({
      react: { quantile: 0.95 },
      "ash-b": { percentile: 90 },
      she: { likeness: "cosine" },
    });
  });
  test.each([
    ["react", /METHOD\.NAME=VALUE, such as react\.quantile=0\.95; got react/],
    ["reakt.quantile=1", /unknown method "reakt": did you mean react\?/],
    ["react.k=1", /react has no parameter "k": quantile/],
    ["knn.k=1.5", /knn\.k must be a whole number of at least 1; got 1\.5/],
    ["msp.t=1", /msp has no parameter "t": it has none/],
    ["she.likeness=dot", /she\.likeness must be one of inner, cosine, euclidean; got dot/],
  ])("%s", (text, message) => {
    expect(() => methodParams([text])).toThrow(message);
  });
});
