/** Which runs go together as an ensemble, and when `--ensemble` makes sense. */
import { describe, expect, test } from "vitest";
import { assertEnsemble } from "../../src/cli/ensemble-usage.ts";
import { assertAlike } from "../../src/cli/ensemble.ts";
import type { RunConfig } from "../../src/report/index.ts";
import { sample } from "../report/sample.ts";

if (sample.config === null) throw new Error("the sample has a configuration");
const { config } = sample;

const run = (folder: string, change: Partial<RunConfig["dataset"]> = {}) => ({
  folder,
  config: { ...config, dataset: { ...config.dataset, ...change } },
});

describe("runs that go together", () => {
  test("those of the same data", () => {
    expect(() => {
      assertAlike(run("a"), run("b"));
    }).not.toThrow();
  });
  test("other classes, or the same in another order, are named", () => {
    const classes = [...config.dataset.classes];
    const other = run("runs/b", { classes: [...classes.slice(1), "extra"] });
    expect(() => {
      assertAlike(run("runs/a"), other);
    }).toThrow(
      /^--ensemble runs\/b knows \d+ classes \(.*extra\), runs\/a \d+ \(.*\): an ensemble averages models of the same classes$/,
    );
    const turned = run("b", { classes: classes.toReversed() });
    expect(() => {
      assertAlike(run("a"), turned);
    }).toThrow(/same classes/);
  });
  test("other data of the same classes", () => {
    expect(() => {
      assertAlike(run("a"), run("b", { hash: "ff", spec: "elsewhere" }));
    }).toThrow(
      /^--ensemble b was trained on elsewhere, a on .*: an ensemble averages models of the same data$/,
    );
  });
});

describe("--ensemble", () => {
  test("nothing is asked without it", () => {
    expect(() => {
      assertEnsemble({}, ["msp"]);
    }).not.toThrow();
  });
  test("needs a run", () => {
    expect(() => {
      assertEnsemble({ ensemble: ["b"] }, "all");
    }).toThrow(/^--ensemble needs --run: /);
  });
  test("needs its method", () => {
    const options = { run: "a", ensemble: ["b"] };
    expect(() => {
      assertEnsemble(options, ["msp"]);
    }).toThrow(/add it to --methods/);
    expect(() => {
      assertEnsemble(options, ["msp", "ensemble"]);
    }).not.toThrow();
    expect(() => {
      assertEnsemble(options, "all");
    }).not.toThrow();
  });
});
