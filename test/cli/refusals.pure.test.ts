/** What `neco ood`, `nc` and `detect` refuse before they open an adapter. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { EXIT } from "../../src/cli/exit.ts";
import { checkGroups } from "../../src/cli/feature-sets.ts";
import { idleOptions, type OodOptions } from "../../src/cli/ood.ts";
import { namedFile } from "../../src/cli/options.ts";
import { checkOutputs } from "../../src/cli/outputs.ts";
import { runCli } from "../../src/cli/program.ts";
import { hostArray, storeArrays } from "../../src/io/index.ts";
import { UsageError } from "../../src/util/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "neco-refusals-"));
const path = (name: string): string => join(folder, name);
const COLUMNS = 3;

/** Four rows of features and logits. */
const save = (name: string, dim = COLUMNS, classes = 2): Promise<void> =>
  storeArrays(path(name), {
    features: hostArray(new Float32Array(4 * dim), [4, dim]),
    logits: hostArray(new Float32Array(4 * classes), [4, classes]),
    labels: hostArray(Int32Array.of(0, 1, 0, 1)),
  });

let written = "";
const collect = (text: unknown): boolean => {
  written += String(text);
  return true;
};
beforeAll(async () => {
  for (const name of ["train.npz", "test.npz", "far.npz"]) await save(name);
  await save("narrow.npz", 2);
  await save("many.npz", COLUMNS, 7);
  const head = { W: hostArray(new Float32Array(2 * COLUMNS), [2, COLUMNS]) };
  await storeArrays(path("head.npz"), head);
  mkdirSync(path("folder.npz"));
  writeFileSync(path("file"), "");
  writeFileSync(path("train.pkl"), "(dp0\n.");
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  written = "";
  vi.spyOn(process.stderr, "write").mockImplementation(collect);
  vi.spyOn(process.stdout, "write").mockImplementation(collect);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** `neco ood` on the files above, with options after them that may name others. */
const ood = (...words: string[]): Promise<number> => {
  const files = ["--id-train", path("train.npz"), "--id-test", path("test.npz")];
  return runCli(["ood", ...files, ...words], COMMANDS);
};
const far = ["--ood", `far=${path("far.npz")}`];

describe("usage: exit 2", () => {
  test.each([
    ["an empty --methods", [...far, "--methods", ","], /must name at least one/],
    ["a set without a name", ["--ood", `=${path("far.npz")}`], /has no name/],
    ["__proto__", ["--ood", `__proto__=${path("far.npz")}`], /"__proto__".*rename it/],
    ["a set in two groups", [...far, "--near", "far", "--far", "far"], /in one group only/],
    ["scores of a bad ending", [...far, "--scores", path("x.txt")], /x\.txt: name it \.npz/],
    ["a detector without --id-val", [...far, "--save-detector", "d.safetensors"], /--id-val/],
    ["a page of a run", ["--run", "r", "--html", "p.html"], /neco report r makes the page/],
    ["--recall alone", [...far, "--recall", "0.9"], /--save-detector/],
  ])("%s", async (_, words, message) => {
    expect(await ood(...words)).toBe(EXIT.usage);
    expect(written).toMatch(message);
  });
});

describe("files: exit 1, by name", () => {
  test.each([
    [
      "other columns",
      ["--ood", `far=${path("narrow.npz")}`],
      /far \(.*narrow\.npz\) has 2 .*has 3/,
    ],
    ["other classes", ["--ood", `far=${path("many.npz")}`], /many\.npz\) has logits of 7 classes/],
    ["a folder", ["--ood", `far=${path("folder.npz")}`], /folder\.npz: it is a folder/],
    ["a pickle", ["--ood", `far=${path("train.pkl")}`], /train\.pkl: is a pickled file/],
    [
      "an output below a file",
      [...far, "--csv", path("file/x.csv")],
      /cannot write .*file\/x\.csv/,
    ],
    ["an output that is a folder", [...far, "--json", path("folder.npz")], /it is a folder/],
  ])("%s", async (_, words, message) => {
    expect(await ood(...words)).toBe(EXIT.fixable);
    expect(written).toMatch(message);
    expect(written).not.toContain("internal error");
  });

  test("training features that are pickled, or a folder", async () => {
    for (const [name, message] of [
      ["train.pkl", /np\.savez\("train\.npz"/],
      ["folder.npz", /cannot read .*folder\.npz: it is a folder/],
    ] as const) {
      written = "";
      expect(await ood("--id-train", path(name), ...far)).toBe(EXIT.fixable);
      expect(written).toMatch(message);
    }
  });

  test("neco nc: an OOD set of other columns, logits of other classes than the head", async () => {
    const nc = (...words: string[]): Promise<number> =>
      runCli(["nc", "--head", path("head.npz"), ...words], COMMANDS);
    expect(await nc("--features", path("train.npz"), "--ood", `o=${path("narrow.npz")}`)).toBe(
      EXIT.fixable,
    );
    expect(written).toMatch(/OOD set o \(.*narrow\.npz\) has 2 feature columns/);
    expect(await nc("--features", path("many.npz"))).toBe(EXIT.fixable);
    expect(written).toMatch(/many\.npz\) has logits of 7 classes, the head has 2/);
  });

  test("neco nc: a weight decay without a loss", async () => {
    const words = ["nc", "--features", path("train.npz"), "--weight-decay", "0.1"];
    expect(await runCli(words, COMMANDS)).toBe(EXIT.usage);
    expect(written).toMatch(/add --loss ce or --loss mse/);
  });

  test("neco nc: a step of a run", async () => {
    expect(await runCli(["nc", "--run", "r", "--step", "3"], COMMANDS)).toBe(EXIT.usage);
    expect(written).toMatch(/--step is for feature files/);
  });

  test("neco detect: a pickle", async () => {
    expect(await runCli(["detect", "--detector", "d", path("train.pkl")], COMMANDS)).toBe(
      EXIT.fixable,
    );
    expect(written).toContain("is a pickled file");
  });
});

describe("help", () => {
  test.each([["help"], ["help", "ood"]])("neco %s %s is no failure", async (...words) => {
    expect(await runCli(words, COMMANDS)).toBe(EXIT.done);
    expect(written).toContain("Usage: neco");
  });
  test("a group without its command is bad usage", async () => {
    expect(await runCli(["data"], COMMANDS)).toBe(EXIT.usage);
  });
});

describe("parts", () => {
  test("a tried output leaves its folder and nothing in it", async () => {
    await checkOutputs([undefined, "-", path("new/deep/x.json")]);
    expect(existsSync(path("new/deep"))).toBe(true);
    expect(existsSync(path("new/deep/x.json"))).toBe(false);
  });
  test("a set listed twice in one group is in one group", () => {
    expect(() => {
      checkGroups({ near: ["a", "a"], far: ["b"] }, ["a", "b"]);
    }).not.toThrow();
  });
  test("a nameless set", () => {
    expect(() => namedFile("=x.npz")).toThrow(UsageError);
    expect(() => namedFile(" ")).toThrow(UsageError);
  });
  test("options of methods that do not run", () => {
    const options: OodOptions = {
      step: "best",
      methods: ["msp"],
      preset: "neco",
      necoDim: "sweep",
      necoMode: "official",
      necoMaxLogit: "on",
      param: ["react.quantile=0.9"],
    };
    expect(idleOptions(options)).toEqual([
      "--param of react, which is not among --methods, changes nothing",
      "--neco-dim sweep shows nothing: neco is not among --methods",
    ]);
    expect(idleOptions({ ...options, methods: ["neco", "react"] })).toEqual([]);
    expect(idleOptions({ ...options, methods: ["all"] })).toEqual([]);
  });
});
