/** --only and --peers of the peers' bench: expressions as ever, and lists as the other bench has them. */
import { describe, expect, test } from "vitest";
import { choose } from "../../bench/peers/choose.ts";
import { entrants } from "../../bench/peers/roster.ts";
import { works } from "../../bench/peers/works.ts";
import { UsageError } from "../../src/util/errors.ts";

const only = (source: string): string[] => choose("only", source, works).map(({ name }) => name);
const peers = (source: string): string[] =>
  choose("peers", source, entrants).map(({ name }) => name);

describe("an expression", () => {
  test.each(["^(matmul-512|softmax)$", "vit.*infer", "eigh", "^softmax{1,2}$", "[a-z]{7}"])(
    "%s means what it meant",
    (source) => {
      const expected = works.filter(({ name }) => new RegExp(source).test(name));
      expect(expected).not.toEqual([]);
      expect(only(source)).toEqual(expected.map(({ name }) => name));
    },
  );

  test("that matches no peer leaves ours alone", () => {
    expect(peers("^none$")).toEqual([]);
  });
});

describe("what is none, or matches nothing, is a list", () => {
  test("of names, beginnings and globs, in the table's order", () => {
    expect(only("softmax,matmul-512")).toEqual(["matmul-512", "softmax"]);
    expect(only("vit-b*,gelu")).toEqual(["gelu", "vit-b16-infer"]);
    expect(only("*-512")).toEqual(["matmul-512"]);
    expect(only("vit*infer")).toEqual(["vit-b16-infer"]); // as an expression "vi…tinfer"
    expect(peers("*-wasm,pytorch")).toEqual(["jax-js-wasm", "pytorch"]);
  });

  test.each(["(", "*none", "softmax,nothing", "softmax,"])(
    "%s matches nothing: bad usage",
    (text) => {
      expect(() => only(text)).toThrow(UsageError);
      expect(() => only(text)).toThrow(
        /--only .* is no regular expression, and no list .*; there are/,
      );
    },
  );
});
