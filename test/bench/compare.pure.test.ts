/** Comparing runs: ratios and noise by hand, warnings, rows of one run alone, files that are no runs. */
import { describe, expect, test } from "vitest";
import { compareReports, tally } from "../../bench/compare.ts";
import { comparisonLines, gainLines, turnsLines } from "../../bench/print-compare.ts";
import { gainsOf } from "../../bench/gains.ts";
import { peersIn } from "../../bench/peers/file.ts";
import { pairRows } from "../../bench/pairs.ts";
import { reportIn } from "../../bench/report.ts";
import type { BenchReport } from "../../bench/report.ts";
import type { Measured } from "../../bench/run.ts";
import { peaks, report, row } from "./sample.ts";

const changeOf = (old: Partial<Measured>, now: Partial<Measured>, more?: Partial<BenchReport>) =>
  compareReports(report({ rows: [row(old)] }), report({ rows: [row(now)], ...more })).changes[0]!;

describe("a row of both runs", () => {
  test("has the ratio old over new, with the deviations of both", () => {
    const { ratio, spread, noise } = changeOf({ median: 10, mad: 0.3 }, { median: 5, mad: 0.2 });
    expect(ratio).toBe(2);
    expect(spread).toBeCloseTo(2 * Math.hypot(0.03, 0.04), 12); // 0.1
    expect(noise).toBeCloseTo(Math.exp(0.15), 12);
  });

  test("is faster or slower beyond three deviations, else within noise", () => {
    const still = { median: 10, mad: 0 };
    const now = (median: number) => changeOf(still, { median, mad: 0.05 * median }).verdict;
    expect([8.5, 8.7, 11.5, 11.7].map(now)).toEqual([
      "faster",
      "within noise",
      "within noise",
      "slower",
    ]);
  });

  test("is held against the drift of the peak that bounds it", () => {
    const [old, now] = [
      { median: 10, mad: 0 },
      { median: 8, mad: 0 },
    ];
    const verdict = (bound: Measured["bound"], after: ReturnType<typeof peaks>) =>
      changeOf(old, { ...now, bound }, { peaks_after: after }).verdict;
    expect(verdict("compute", peaks(30, 4))).toBe("within noise"); // 40 / 30 > 10 / 8
    expect(verdict("memory", peaks(30, 4))).toBe("faster");
    expect(verdict("memory", peaks(40, 3))).toBe("within noise");
    expect(verdict(null, peaks(40, 3))).toBe("within noise");
    expect(verdict("compute", peaks(40, 3))).toBe("faster");
  });

  test("of two clocks is compared by the host's, aloud", () => {
    const old = report({ rows: [row({ timer: "wall", wall_ms: 40 })] });
    const { changes, warnings } = compareReports(old, report());
    expect(changes[0]).toMatchObject({ timer: "wall", ratio: 2 });
    expect(warnings.join()).toMatch(/1 rows had another clock/);
  });
});

test("rows of one run alone are named and counted", () => {
  const old = report({ rows: [row(), row({ variant: "old" })] });
  const now = report({ rows: [row({ shape: "[9]" }), row()] });
  const comparison = compareReports(old, now);
  expect(comparison.gone.map(({ variant }) => variant)).toEqual(["old"]);
  expect(comparison.added.map(({ shape }) => shape)).toEqual(["[9]"]);
  expect(tally(comparison)).toBe(
    "0 faster, 0 slower, 1 within noise, 1 only in the old run, 1 only in this one",
  );
  expect(comparisonLines(comparison).join("\n")).toMatch(
    /only in the old run:\n {2}matmul \[8, 8\] \[8, 8\] old\n/,
  );
});

test("what differs between the runs is told, and nothing else", () => {
  expect(compareReports(report(), report()).warnings).toEqual([]);
  const { adapter } = report();
  const now = report({
    adapter: { ...adapter, description: "other", features: [] },
    node: "v22.0.0",
    peaks: peaks(40, 6),
    peaks_after: peaks(30, 6),
  });
  const { warnings } = compareReports(report({ peaks_after: null }), now);
  expect(warnings).toEqual([
    "adapter or driver: lavapipe (software): llvmpipe in the old run, other in this one",
    "features: subgroups in the old run,  in this one",
    "Node: v20.20.2 in the old run, v22.0.0 in this one",
    "the FMA peak drifted in this run: 40.0 → 30.0 (−25 %)",
    "the copy peak differs between the runs: 4.0 → 6.0 (+50 %)",
    "the old run was cut short: its drift is not known",
  ]);
});

test("runs on other processors are told apart, which a software adapter's description does not", () => {
  const on = (model: string, count = 2) => report({ cpu: { model, count } });
  const warnings = (old: BenchReport, now: BenchReport) => compareReports(old, now).warnings;
  expect(warnings(on("AMD EPYC"), on("AMD EPYC"))).toEqual([]);
  expect(warnings(on("AMD EPYC"), on("Intel Xeon"))).toEqual([
    "CPU: 2 × AMD EPYC in the old run, 2 × Intel Xeon in this one",
  ]);
  expect(warnings(on("AMD EPYC"), on("AMD EPYC", 16))).toHaveLength(1);
  expect(warnings(report(), on("AMD EPYC"))).toEqual([
    "CPU: not known in the old run, 2 × AMD EPYC in this one",
  ]);
  const line = comparisonLines(compareReports(report({ commit: "9f78d74" }), report()))[0];
  expect(line).toContain("commit: 9f78d74");
});

describe("a file", () => {
  const text = (change: (value: BenchReport) => object) => JSON.stringify(change(report()));

  test("of a run is read as it was written", () => {
    const origin = { commit: "9f78d74", cpu: { model: "AMD EPYC", count: 2 } };
    expect(reportIn("a.json", JSON.stringify(report(origin)))).toEqual(report(origin));
    expect(reportIn("a.json", JSON.stringify(report()))).toEqual(report());
    expect(
      reportIn(
        "a.json",
        text((r) => ({ ...r, peaks_after: null })),
      ).peaks_after,
    ).toBeNull();
  });

  test.each([
    ["no JSON", "nix", /^a\.json: is no JSON; give a file of schema neco-webgpu\/bench@1$/],
    ["another schema", '{"schema":"x@1"}', /says schema x@1, not neco-webgpu\/bench@1$/],
    ["no schema", "[]", /says no schema, not/],
    ["no rows", text((r) => ({ ...r, rows: 3 })), /has no list rows: measure again/],
    ["no adapter", text((r) => ({ ...r, adapter: {} })), /adapter has no text description/],
    ["a commit that is none", text((r) => ({ ...r, commit: 7 })), /has no text commit/],
    [
      "a CPU without a count",
      text((r) => ({ ...r, cpu: { model: "" } })),
      /cpu has no number count/,
    ],
    [
      "no peak",
      text((r) => ({ ...r, peaks: { ...peaks(), fma: {} } })),
      /peaks has no number rate/,
    ],
    ["a bad row", text((r) => ({ ...r, rows: [row(), { name: "x" }] })), /row 2 has no text shape/],
    [
      "null for a number",
      text((r) => ({ ...r, rows: [row({ mad: NaN })] })),
      /row 1 has no number mad/,
    ],
  ])("with %s is refused in one line", (_, content, message) => {
    expect(() => reportIn("a.json", content)).toThrow(message);
  });

  test("of the peers is checked too", () => {
    expect(() => peersIn("p.json", JSON.stringify(report()))).toThrow(
      /p\.json: says schema neco-webgpu\/bench@1, not neco-webgpu\/bench-peers@1/,
    );
    const schema = "neco-webgpu/bench-peers@1";
    expect(() => peersIn("p.json", JSON.stringify({ ...report(), schema }))).toThrow(
      /has no list missing/,
    );
  });
});

test("rows of two checkouts are paired by rounds", () => {
  const run = (median: number, ...more: Measured[]) => ({ rows: [row({ median }), ...more] });
  const paired = pairRows({
    base: [run(2, row({ variant: "old" })), run(30)],
    head: [run(1), run(10)],
  });
  expect(paired.map(({ key, ratio }) => [key, ratio?.median])).toEqual([
    ["matmul [8, 8] [8, 8] naive", 2.5],
    ["matmul [8, 8] [8, 8] old", undefined],
  ]);
});

describe("modes of a workload", () => {
  const mode = (variant: string, dispatches: number) =>
    row({ name: "vit", shape: "[2]", variant, kind: "workload", dispatches });
  const rows = [mode("program", 7), mode("unfused", 9), mode("eager", 11), row()];
  const turns = {
    name: "vit",
    shape: "[2]",
    timer: "wall",
    rounds: { program: [1, 10, 2], unfused: [2, 20, 4], eager: [6, 60, 12] },
  } as const;

  test("give what fusion and replay bring, by rounds", () => {
    const [gains, ...others] = gainsOf(rows, [turns]);
    expect(others).toEqual([]);
    expect(gains!.gains.map(({ what, ratio }) => [what, ratio?.median])).toEqual([
      ["fusion", 2],
      ["replay", 3],
      ["all of a program", 6],
    ]);
    expect(gainLines(gains!).join("\n")).toMatch(/fusion .* 2\.00 ± 0\.00 +9 → 7/);
  });

  test("have counts without turns, and turns have ratios to the first", () => {
    expect(gainsOf(rows, [])[0]!.gains.every(({ ratio }) => ratio === null)).toBe(true);
    expect(turnsLines(turns)[2]).toMatch(/eager +6\.00 ± 0\.00/);
  });
});
