/** Tables that leave the program: LaTeX, CSV, and several runs as mean ± standard deviation. */
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import {
  csvTable,
  latexTable,
  overRuns,
  quoteCsv,
  renderReport,
  summaryTable,
  type MethodResult,
  type OodJson,
  type SetResult,
} from "../../src/report/index.ts";
import { escapeLatex } from "../../src/report/latex.ts";
import { bare } from "./sample.ts";

const set = (auroc: number, fpr: number, more: Partial<SetResult> = {}): SetResult => ({
  auroc,
  fpr_at_95_id_tpr: fpr,
  fpr_at_95_ood_tpr: fpr / 2,
  aupr_in: 0.5,
  aupr_out: 0.25,
  ap_in: 0.4,
  ap_out: 0.2,
  n: 100,
  ...more,
});

const results = (
  methods: Readonly<Record<string, readonly SetResult[]>>,
  accuracy: number | null = 0.9,
): OodJson => ({
  schema: "neco-webgpu/ood@1",
  adapter: "an adapter",
  config: { groups: { near_1: "near", far: "far", noise: "control" } },
  id: { n: 50, accuracy },
  results: Object.fromEntries(
    Object.entries(methods).map(([name, [near, far, noise]]): [string, MethodResult] => [
      name,
      {
        params: {},
        sets: {
          ...(near ? { near_1: near } : {}),
          ...(far ? { far } : {}),
          ...(noise ? { noise } : {}),
        },
        average: near && far ? set((near.auroc + far.auroc) / 2, 0.1) : null,
      },
    ]),
  ),
  skipped: {},
});
const groups = { near_1: "near", far: "far", noise: "control" } as const;
const two = results({
  msp: [set(0.91234, 0.2), set(0.8, 0.3), set(1, 0)],
  neco: [set(0.9, 0.1), set(0.95, 0.3), set(1, 0)],
});

describe("LaTeX", () => {
  const lines = latexTable(two, groups).split("\n");
  test("percent, two decimals, the best of each column in bold, ties both", () => {
    expect(lines.find((line) => line.includes("MSP &"))).toBe(
      String.raw`    MSP & \textbf{91.23} & 20.00 & 80.00 & \textbf{30.00} & 85.62 & \textbf{10.00} & \textbf{100.00} & \textbf{0.00} \\`,
    );
    expect(lines.find((line) => line.includes("NECO &"))).toContain(
      String.raw`90.00 & \textbf{10.00} & \textbf{95.00} & \textbf{30.00}`,
    );
  });
  test("names sets and metrics in full, special characters escaped", () => {
    const text = lines.join("\n");
    expect(text).toContain(String.raw`\multicolumn{2}{c}{near\_1}`);
    expect(text).toContain(String.raw`\shortstack{FPR at 95\,\%\\ID TPR\,$\downarrow$}`);
    expect(text).not.toMatch(/FPR ?95/);
    expect(escapeLatex("a_b%&$#{}~^\\")).toBe(
      String.raw`a\_b\%\&\$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}`,
    );
  });
  test("every row has as many cells as the head", () => {
    const cells = lines
      .filter((line) => line.endsWith("\\\\"))
      .map((line) => (line.includes("multicolumn") ? null : line.split("&").length));
    expect(new Set(cells.filter((count) => count !== null))).toEqual(new Set([9]));
    expect(lines.some((line) => line.includes("{lrrrrrrrr}"))).toBe(true);
  });
  test("a missing value is a dash, never bold", () => {
    const holes = results({ msp: [set(Number.NaN, 0.2)], neco: [set(Number.NaN, 0.1)] });
    expect(latexTable(holes, groups)).toContain(String.raw`MSP & -- & 20.00 \\`);
  });
});

describe("CSV", () => {
  test("all metrics by full name, averages and controls, percent", () => {
    const [head = "", msp = ""] = csvTable(two, groups).split("\n");
    expect(head.startsWith("method,near_1: AUROC,near_1: FPR at 95 % ID TPR,")).toBe(true);
    expect(head).toContain('"near_1: AUPR, ID positive"');
    expect(head).toContain("all sets average: AUROC");
    expect(head).toContain("noise: AUROC");
    expect(msp.startsWith("MSP,91.23,20.00,10.00,50.00,25.00,40.00,20.00,80.00,")).toBe(true);
  });
  test("intervals stand beside the value", () => {
    const one = results({ msp: [set(0.9, 0.2, { intervals: { auroc: [0.88, 0.92] } })] });
    const [head = "", msp = ""] = csvTable(one, groups).split("\n");
    expect(head).toContain("near_1: AUROC,near_1: AUROC low,near_1: AUROC high");
    expect(msp).toMatch(/^MSP,90\.00,88\.00,92\.00,20\.00,,,/);
  });
  test("quotes", () => {
    expect(quoteCsv('a "b", c')).toBe('"a ""b"", c"');
    expect(quoteCsv("plain")).toBe("plain");
  });
});

describe("several runs", () => {
  const runs = [0.9, 0.92, 0.97].map((auroc, index) => ({
    name: `seed-${index}`,
    ood: results({ msp: [set(auroc, 0.2), set(0.8, 0.3)] }, 0.9 + index / 100),
  }));
  const { ood, warnings } = overRuns(runs);
  test("means and sample standard deviations", () => {
    const figures = ood.results["msp"]?.sets["near_1"];
    expect(figures?.auroc).toBeCloseTo(0.93, 12);
    // Deviations −0.03, −0.01, 0.04 over n − 1 = 2.
    expect(figures?.std?.auroc).toBeCloseTo(Math.sqrt(0.0026 / 2), 12);
    expect(figures?.std?.fpr_at_95_id_tpr).toBeCloseTo(0, 12);
    expect(ood.id.accuracy).toBeCloseTo(0.91, 12);
    expect(ood.id.accuracy_std).toBeCloseTo(0.01, 12);
    expect(ood.results["msp"]?.average?.std?.auroc).toBeCloseTo(Math.sqrt(0.0026 / 8), 12);
    expect([ood.runs, warnings]).toEqual([3, []]);
  });
  test("tables say ± and over how many", () => {
    expect(summaryTable(ood, groups)).toMatch(/MSP +93\.00\* ± 3\.61/);
    expect(summaryTable(ood, groups)).toContain("sample standard deviation over n = 3 runs");
    expect(latexTable(ood, groups)).toContain(
      String.raw`\textbf{93.00}\,{\scriptsize $\pm$\,3.61}`,
    );
    expect(csvTable(ood, groups)).toContain("near_1: AUROC,near_1: AUROC std");
  });
  test("what not all runs hold is left out and named", () => {
    const more = {
      name: "more",
      ood: results({ msp: [set(0.9, 0.2)], neco: [set(0.9, 0.2)] }, null),
    };
    const mixed = overRuns([...runs, more]);
    expect(mixed.ood.skipped["neco"]).toBe("only 1 of 4 runs hold it");
    expect(Object.keys(mixed.ood.results["msp"]?.sets ?? {})).toEqual(["near_1"]);
    expect(mixed.ood.id.accuracy).toBeNull();
    expect(mixed.warnings[0]).toMatch(/more was evaluated on other sets than seed-0/);
  });
  test("one run has no deviation; runs without a method in common have no table", () => {
    expect(() => overRuns(runs.slice(0, 1))).toThrow(/at least two runs/);
    const other = { name: "x", ood: results({ neco: [set(1, 0)] }) };
    expect(() => overRuns([...runs, other])).toThrow(/no method in common/);
  });
});

test("DeLong's test in the terminal and on the page", () => {
  const delong = { reference: "neco", difference: -0.0123, p: 0.04321 };
  const tested = results({
    msp: [set(0.9, 0.2, { delong })],
    energy: [set(0.9, 0.2, { delong: { ...delong, difference: 0.02, p: 1e-9 } })],
    neco: [set(0.9123, 0.1)],
  });
  const text = summaryTable(tested, groups);
  expect(text).toContain("AUROC against NECO");
  expect(text).toMatch(/MSP +-1\.23 \(p = 0\.0432\)/);
  expect(text).toMatch(/Energy +\+2\.00 \(p < 0\.0001\)/);
  expect(text.split("NECO")).toHaveLength(4); // two tables and the heading, no row of its own
  expect(text).toContain("not corrected for the number of tests, 2");
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const page = renderReport({ ...bare, ood: tested, groups }, document);
  expect(page).toContain("not corrected for the number of tests, 2");
  expect(page).toContain("-1.23 (p = 0.0432)");
});
