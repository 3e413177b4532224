/** What DEBUG=program prints. */
import { expect, it } from "vitest";
import { programReport, untimedReport } from "../../src/engine/debug.ts";

const STATS = {
  passes: 3,
  merged: 2,
  recomputed: 0,
  copies: 1,
  slots: 4,
  slotBytes: 2_500_000,
  virtualBytes: 9_000_000,
  liveBytes: 2_400_000,
  flops: 0,
  bytes: 0,
};

it("lists passes by label, the costliest first, with their rates", () => {
  const lines = programReport(
    [
      { label: "add y [8]", microseconds: 10, flops: 1e4, bytes: 2e4 },
      { label: "matmul y [8] + gelu", microseconds: 60, flops: 3e5, bytes: 1e6 },
      { label: "add y [8]", microseconds: 30, flops: 1e4, bytes: 2e4 },
    ],
    STATS,
  ).split("\n");
  expect(lines[0]).toBe(
    "program: 3 passes (2 more merged into them, 0 run twice), 1 copies, 0.10 ms; values of 9.0 MB in 4 slots of 2.5 MB",
  );
  const cells = lines.slice(2).map((line) => line.trim().split(/ {2,}/));
  expect(cells).toEqual([
    ["60", "1", "1.0 MB", "16.67", "5.00", "matmul y [8] + gelu"],
    ["40", "2", "0.0 MB", "1.00", "0.50", "add y [8]"],
  ]);
});

it("gives no rate where the clock did not move", () => {
  const report = programReport([{ label: "fill", microseconds: 0, flops: 8, bytes: 8 }], STATS);
  expect(report).not.toMatch(/NaN|Infinity/);
});

it("counts bytes and operations where nothing can be timed, the most bytes first", () => {
  const lines = untimedReport(
    [
      { label: "add y [8]", flops: 1e4, bytes: 2e4 },
      { label: "matmul y [8] + gelu", flops: 3e9, bytes: 1e6 },
    ],
    STATS,
  ).split("\n");
  expect(lines[0]).toContain("1 copies, untimed, for this adapter has no timestamp-query; values");
  const cells = lines.slice(1).map((line) => line.trim().split(/ {2,}/));
  expect(cells).toEqual([
    ["passes", "moved", "GFLOP", "label"],
    ["1", "1.0 MB", "3.000", "matmul y [8] + gelu"],
    ["1", "0.0 MB", "0.000", "add y [8]"],
  ]);
});
