/** The bench's command line: contradictions and bad values end as bad usage. */
import { expect, test } from "vitest";
import { checkOptions, positive } from "../../bench/options.ts";
import type { Options } from "../../bench/options.ts";
import { endingOf } from "../../src/cli/exit.ts";

const options = (more: Partial<Options>): Options => ({
  timer: "auto",
  samples: 20,
  budget: 10,
  ...more,
});

test("options that contradict each other are named", () => {
  const refuses = (more: Partial<Options>, message: RegExp): void => {
    expect(() => {
      checkOptions(options(more));
    }).toThrow(message);
  };
  refuses({ from: "a", html: "b", turns: true }, /--from measures nothing, so --turns/);
  refuses({ from: "a", html: "b", json: "c" }, /--json has nothing to do/);
  refuses({ from: "a" }, /--from needs --html or --compare/);
  refuses({ peers: "p" }, /--peers shows in the page only: add --html FILE/);
});

test("options that agree pass", () => {
  for (const more of [{}, { from: "a", compare: "b" }, { peers: "p", html: "h" }, { turns: true }])
    expect(() => {
      checkOptions(options(more));
    }).not.toThrow();
});

test("counts are above 0", () => {
  expect(positive("0.5")).toBe(0.5);
  for (const text of ["0", "-1", "x", ""]) expect(() => positive(text)).toThrow(/above 0/);
});

test("bad usage ends with 2", () => {
  try {
    checkOptions(options({ from: "a" }));
  } catch (error) {
    expect(endingOf(error).code).toBe(2);
  }
  expect.assertions(1);
});
