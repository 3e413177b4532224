/** `neco report --runs` as a person meets it: what it writes, and one clear line for what it refuses. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { EXIT } from "../../src/cli/exit.ts";
import { runCli } from "../../src/cli/program.ts";
import { sample } from "../report/sample.ts";

const folder = mkdtempSync(join(tmpdir(), "neco-runs-"));
const path = (name: string): string => join(folder, name);
let written = "";
beforeEach(() => {
  written = "";
  for (const stream of [process.stderr, process.stdout])
    vi.spyOn(stream, "write").mockImplementation((text) => {
      written += String(text);
      return true;
    });
  for (const name of ["a.json", "b.json"]) writeFileSync(path(name), JSON.stringify(sample.ood));
  writeFileSync(path("other.json"), '{"schema":"neco-webgpu/nc@1"}');
});
afterEach(() => {
  vi.restoreAllMocks();
});

const report = (...words: string[]): Promise<number> => runCli(["report", ...words], COMMANDS);

test("two results: table, page, LaTeX, CSV and JSON", async () => {
  const files = ["--out", path("p.html"), "--latex", path("t.tex"), "--csv", path("t.csv")];
  const code = await report(
    "--runs",
    path("a.json"),
    path("b.json"),
    ...files,
    "--json",
    path("o.json"),
  );
  expect(code, written).toBe(EXIT.done);
  expect(written).toContain("± 0.00");
  expect(readFileSync(path("p.html"), "utf8")).toContain("over n = 2 runs");
  expect(readFileSync(path("t.tex"), "utf8")).toContain("\\toprule");
  expect(readFileSync(path("t.csv"), "utf8")).toContain("fashion: AUROC std");
  expect(JSON.parse(readFileSync(path("o.json"), "utf8"))).toMatchObject({ runs: 2 });
});

test.each([
  [["a.json", "a.json"], EXIT.usage, /twice: one run is no two seeds/],
  [["a.json"], EXIT.fixable, /at least two runs/],
  [["a.json", "none.json"], EXIT.fixable, /none\.json does not exist/],
  [["a.json", "other.json"], EXIT.fixable, /other\.json: holds no results of neco ood/],
  [["a.json", "no-run"], EXIT.fixable, /no-run holds no run/],
])("%s: exit %i, no file", async (names, code, message) => {
  expect(await report("--runs", ...names.map(path), "--csv", path("never.csv"))).toBe(code);
  expect(written).toMatch(message);
  expect(existsSync(path("never.csv"))).toBe(false);
});

test("outputs that cannot be written are refused before anything is read", async () => {
  mkdirSync(path("folder"), { recursive: true });
  for (const option of ["--csv", "--latex", "--json", "--out"]) {
    written = "";
    expect(await report("--runs", path("a.json"), path("none.json"), option, path("folder"))).toBe(
      EXIT.fixable,
    );
    expect(written).toMatch(/cannot write .*folder: it is a folder/);
  }
});

test("a run and --runs together make no sense", async () => {
  expect(await report(path("a.json"), "--runs", path("b.json"), path("a.json"))).toBe(EXIT.usage);
});
