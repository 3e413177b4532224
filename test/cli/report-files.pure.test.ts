/** `neco report ood.json nc.json`: a page without a run, from what the other commands wrote. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { EXIT } from "../../src/cli/exit.ts";
import { jsonText } from "../../src/cli/json-text.ts";
import { runCli } from "../../src/cli/program.ts";
import { sample } from "../report/sample.ts";

let folder = "";
let written = "";
const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), "utf8");
const { ood, nc, distributions, sweep, pca } = sample;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "neco-files-"));
  written = "";
  for (const stream of [process.stderr, process.stdout])
    vi.spyOn(stream, "write").mockImplementation((line) => {
      written += String(line);
      return true;
    });
  writeFileSync(path("ood.json"), jsonText({ ...ood, distributions, sweep, pca }));
  writeFileSync(path("old.json"), jsonText(ood));
  writeFileSync(path("nc.json"), jsonText(nc));
  writeFileSync(path("once.json"), jsonText({ ...nc, steps: undefined }));
  writeFileSync(path("other.json"), '{"schema":"neco-webgpu/sweep@1"}');
  mkdirSync(path("folder"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const report = (...words: string[]): Promise<number> => runCli(["report", ...words], COMMANDS);

test("results of neco ood and neco nc: every section that needs no run, tables beside it", async () => {
  const tables = ["--csv", path("t.csv"), "--latex", path("t.tex")];
  expect(await report(path("ood.json"), path("nc.json"), ...tables), written).toBe(EXIT.done);
  const page = text("ood.html"); // beside the first file
  for (const id of ["results", "features", "scores", "confidence", "sweep", "collapse", "facts"])
    expect(page).toContain(`id="${id}"`);
  expect(page).toContain("<title>Neural collapse and OOD detection: digits-8-9, fashion");
  expect(page).toContain("ID test samples");
  expect(text("t.tex")).toContain("\\toprule");
  expect(text("t.csv")).toContain("AUROC");
  expect(written).not.toContain("not in the results");
});

test("neural collapse alone, under another title", async () => {
  const words = [path("nc.json"), "--out", path("p.html"), "--title", "Mine"];
  expect(await report(...words)).toBe(EXIT.done);
  expect(text("p.html")).toContain("<title>Mine</title>");
  expect(text("p.html")).not.toContain('id="results"');
});

test("several checkpoints of neural collapse: curves over their steps, in order", async () => {
  const { steps = [], ...once } = nc!;
  for (const step of steps)
    writeFileSync(path(`nc-${step.step}.json`), jsonText({ ...once, steps: [step] }));
  const names = steps.map(({ step }) => path(`nc-${step}.json`)).reverse();
  expect(await report(...names, "--out", path("p.html")), written).toBe(EXIT.done);
  const page = text("p.html");
  expect(page).toContain('aria-label="NC3: self-duality"'); // a curve; of one checkpoint it is a number
  const rows = [...page.matchAll(/<th scope="row">(\d+)<\/th>/g)].map(([, step]) => step);
  expect(rows).toEqual(steps.map(({ step }) => String(step)));
  const twice = [path("nc-100.json"), path("nc-100.json")];
  expect(await report(...twice)).toBe(EXIT.usage);
  expect(written).toMatch(/two files of neco nc are of step 100/);
});

test("older results without what figures need: tables, and what is missing", async () => {
  expect(await report(path("old.json"))).toBe(EXIT.done);
  expect(text("old.html")).not.toContain('id="scores"');
  expect(written).toMatch(/not on the page: score histograms and ROC, the sweep over d, .*plane/);
});

describe("refused, and no page", () => {
  test.each([
    [["ood.json", "old.json"], EXIT.usage, /old\.json is a second file of neco ood.*--runs/],
    [["nc.json", "once.json"], EXIT.usage, /checkpoints of one training: make each with --step/],
    [["other.json"], EXIT.fixable, /other\.json: holds no results of neco ood or neco nc/],
    [["none.json"], EXIT.fixable, /none\.json does not exist/],
    [["folder", "nc.json"], EXIT.usage, /one run folder, or files of neco ood --json/],
  ])("%s", async (names, code, message) => {
    expect(await report(...names.map(path), "--out", path("never.html"))).toBe(code);
    expect(written).toMatch(message);
    expect(existsSync(path("never.html"))).toBe(false);
  });

  test.each([
    [["--csv", "folder"], EXIT.fixable, /cannot write .*folder: it is a folder/],
    [["--latex", "folder"], EXIT.fixable, /cannot write .*folder: it is a folder/],
    [["--csv", "t.csv"], EXIT.usage, /tables of OOD results: give a file of neco ood too/],
    [["--json", "t.json"], EXIT.usage, /--json is for --runs/],
  ])("nc.json %s", async ([option = "", name = ""], code, message) => {
    expect(await report(path("nc.json"), option, path(name))).toBe(code);
    expect(written).toMatch(message);
    expect(existsSync(path("nc.html"))).toBe(false);
  });

  test("nothing named", async () => {
    expect(await report()).toBe(EXIT.usage);
  });
});

test("JSON keeps lists of numbers on a line and says the same", () => {
  const value = { a: [1, -2.5e-7, null], b: [], c: ["[\n 1\n]", [1], { d: [3, 4] }], e: [1, "x"] };
  const printed = jsonText(value);
  expect(JSON.parse(printed)).toEqual(value);
  expect(printed).toContain('"a": [1, -2.5e-7, null]');
  expect(printed).toContain('"d": [3, 4]');
  expect(jsonText({ ...ood, distributions }).length).toBeLessThan(120_000);
});
