/** What the peers' bench says of ours: rates, shares of the peak, times with transfers, faults. */
import { expect, test } from "vitest";
import { peersReport, table } from "../../bench/peers/report.ts";
import type { WorkOutcome } from "../../bench/peers/report.ts";
import { ownFaults, ownTable } from "../../bench/peers/summary.ts";
import { works } from "../../bench/peers/works.ts";
import type { Work } from "../../bench/peers/works.ts";
import { opEntries } from "../../src/kernels/index.ts";
import type { OpName } from "../../src/kernels/index.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import { LAVAPIPE } from "../kernels/adapters.ts";
import { peaks, peerOutcome as outcome, report } from "./sample.ts";

const FMA = 100; // GFLOP/s

const workOf = (name: string): Work => works.find((work) => work.name === name)!;

/** A run of these works, peaks of FMA before it. */
const runOf = (...results: WorkOutcome[]) =>
  peersReport({ ...report(), peaks: { before: peaks(FMA), after: null }, missing: [] }, results);

test("where operations are known, rows hold their rate and its share of the FMA peak before", () => {
  const product = workOf("matmul-512"); // 0.268 GFLOP: 26.8 GFLOP/s in 10 ms
  const ours = outcome("neco", [10, 10, 10]);
  const out = outcome("dead", [], { failure: "ended with SIGSEGV" });
  const run = runOf(
    { work: product, outcomes: [ours, outcome("neco+io", [12, 12, 12]), out] },
    { work: workOf("gelu"), outcomes: [ours] },
  );
  const [neco, , dead] = run.works[0]!.engines;
  expect(neco!.gflops).toBeCloseTo(26.8435456, 9);
  expect(neco!.fmaShare).toBeCloseTo(0.268435456, 9);
  expect([dead!.gflops, dead!.fmaShare]).toEqual([null, null]);
  expect(run.works[1]!.engines[0]).toMatchObject({ gflops: null, fmaShare: null });
  expect(ownTable(run).slice(1)).toEqual([
    ["matmul 512³", "10.0 ± 0.0", "12.0 ± 0.0", "26.8 GFLOP/s", "27 %"],
    ["GELU (erf) 1576×3072", "10.0 ± 0.0", "", "3.87 GB/s", ""],
  ]);
  expect(table({ work: product, outcomes: [ours] }, FMA)).toMatch(/26\.8 GFLOP\/s +27 % /);
});

test("a wrong, broken or missing result of ours is a fault; another engine's is not", () => {
  const work = workOf("gelu");
  const wrong = { error: 0.5 };
  const peer = outcome("rival", [1], wrong);
  const run = (...outcomes: (typeof peer)[]) => runOf({ work, outcomes: [...outcomes, peer] });
  expect(ownFaults(run(outcome("neco", [1]), outcome("neco+io", [1])))).toEqual([]);
  expect(ownFaults(run(outcome("neco", [1]), outcome("neco+io", [1], wrong)))).toEqual([
    "neco+io on gelu: DISAGREES (5.0e-1)",
  ]);
  expect(ownFaults(run(outcome("neco", [1], { error: Number.NaN })))).toEqual([
    "neco on gelu: DISAGREES (not finite)",
  ]);
  expect(ownFaults(run(outcome("neco", [null], { failure: "ended with SIGSEGV" })))).toEqual([
    "neco on gelu: ok (1.0e-7); ended with SIGSEGV",
  ]);
  const missing = ["neco", "rival"].map((engine) => ({ engine, why: "no adapter" }));
  expect(ownFaults({ works: [], missing })).toEqual(["neco: MISSING, no adapter"]);
});

test("operations of products and of attention are those that our plans count", () => {
  const counted = (name: OpName, shapes: number[][], attrs = {}): number => {
    const op = opEntries().find(([known]) => known === name)![1];
    const inputs = shapes.map((shape) => ({ shape, dtype: "f32" as const }));
    const all = { ...op.defaults, ...attrs };
    const { passes } = op.variants[pickVariant(op, inputs, all, LAVAPIPE)]!.plan(
      inputs,
      all,
      LAVAPIPE,
    );
    return passes.reduce((sum, { flops = 0 }) => sum + flops, 0);
  };
  const square = [512, 512];
  expect(counted("matmul", [square, square])).toBe(workOf("matmul-512").flops);
  const attention = counted("attention", [[2, 197, 3 * 768]], { heads: 12 }); // 24 heads of 64
  expect(attention).toBe(workOf("attention").flops);
});
