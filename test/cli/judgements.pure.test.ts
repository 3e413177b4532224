/** The files and the table of `neco detect`, written as judgements come. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Judgements, type NamedJudgement } from "../../src/cli/judgements.ts";
import type { DetectorSpec } from "../../src/neco/index.ts";

const folder = mkdtempSync(join(tmpdir(), "neco-judgements-"));
const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), "utf8");
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

let out = "";
let err = "";
beforeEach(() => {
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((part) => {
    out += String(part);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((part) => {
    err += String(part);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const spec: DetectorSpec = {
  method: "msp",
  state: { arrays: {}, params: {}, warnings: [] },
  threshold: 0.5,
  recall: 0.95,
  validationCount: 10,
  dim: 2,
  head: null,
  classes: [],
  preprocessing: null,
  model: null,
  modelArrays: {},
};
const judged = (row: number): NamedJudgement => ({
  input: `a,b.npz[${row}]`,
  label: "cat",
  labelIndex: 1,
  probs: Float32Array.of(0.25, 0.75),
  score: row,
  threshold: 0.5,
  isOod: row < 0.5,
});
const rows = (start: number, count: number): NamedJudgement[] =>
  Array.from({ length: count }, (_, row) => judged(start + row));

describe("judgements", () => {
  test("JSON in parts is one document", async () => {
    const all = await Judgements.open(spec, { json: path("a.json") });
    await all.add(rows(0, 2));
    await all.add([]);
    await all.add(rows(2, 1));
    await all.finish();
    const { judgements, ...rest } = JSON.parse(text("a.json")) as { judgements: unknown[] };
    expect(rest).toEqual({ schema: "neco-webgpu/detect@1", method: "msp", threshold: 0.5 });
    expect(judgements).toEqual(rows(0, 3).map((row) => ({ ...row, probs: [0.25, 0.75] })));
  });

  test("JSON lines and CSV, and what is counted", async () => {
    const all = await Judgements.open(spec, { json: path("a.jsonl"), csv: path("a.csv") });
    await all.add(rows(0, 2));
    await all.add(rows(2, 1));
    await all.finish();
    const lines = text("a.jsonl").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as NamedJudgement).score)).toEqual([0, 1, 2]);
    expect(text("a.csv")).toBe(
      'input,out_of_distribution,label,label_index,probability,score,threshold\n"a,b.npz[0]",1,cat,1,0.75,0,0.5\n"a,b.npz[1]",0,cat,1,0.75,1,0.5\n"a,b.npz[2]",0,cat,1,0.75,2,0.5\n',
    );
    expect(err).toContain("1 of 3 out of distribution (33.33 %)");
  });

  test("of many, the table shows the first thousand and says so", async () => {
    const all = await Judgements.open(spec, {});
    for (let start = 0; start < 200_000; start += 1000) await all.add(rows(start, 1000));
    await all.finish();
    expect(out.trimEnd().split("\n")).toHaveLength(2 + 1000);
    expect(err).toContain("the first 1000 of 200000 are shown");
    expect(err).toContain("1 of 200000 out of distribution");
  });

  test("standard output holds the document alone", async () => {
    const all = await Judgements.open(spec, { json: "-" });
    await all.add(rows(0, 1));
    await all.finish();
    expect(JSON.parse(out)).toHaveProperty("judgements.0.label", "cat");
  });

  test("an abort leaves no file", async () => {
    const all = await Judgements.open(spec, { csv: path("gone.csv") });
    await all.add(rows(0, 1));
    await all.abort();
    expect(readdirSync(folder).filter((name) => name.includes("gone"))).toEqual([]);
  });
});
