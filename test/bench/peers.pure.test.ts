/** The peers' bench without engines: statistics, agreement, tables, the models it writes. */
import { expect, test } from "vitest";
import { figure } from "../../bench/html/figures.ts";
import { repeatsFor, summarise } from "../../bench/measure.ts";
import { eigenError, relativeError } from "../../bench/peers/check.ts";
import { driversIn } from "../../bench/peers/drivers.ts";
import { onnxModel } from "../../bench/peers/onnx.ts";
import { another, ratioOf, turns } from "../../bench/ratios.ts";
import { reference64 } from "../../bench/peers/reference.ts";
import { agrees, aligned, rate, ratioIn, table } from "../../bench/peers/report.ts";
import { entrants } from "../../bench/peers/roster.ts";
import { inputsOf } from "../../bench/peers/inputs.ts";
import { works } from "../../bench/peers/works.ts";
import type { Work } from "../../bench/peers/works.ts";
import { peerOutcome as outcome } from "./sample.ts";

const FMA = 100; // GFLOP/s

const workOf = (name: string): Work => works.find((work) => work.name === name)!;

test("copies stand beside works that memory bounds, multiply-adds beside others; none is judged", () => {
  const measuredBy = (name: string): string[] => {
    const yardstick = entrants.find((entrant) => entrant.isYardstick && entrant.name === name);
    return works.filter((work) => yardstick?.joins(work)).map((work) => work.name);
  };
  expect(measuredBy("copy")).toEqual(["softmax", "layernorm", "gelu"]);
  expect(measuredBy("copy-wide")).toEqual(measuredBy("copy"));
  expect(measuredBy("fma")).toEqual(expect.arrayContaining(["matmul-512", "small-vit-step"]));
  expect(measuredBy("fma").filter((name) => measuredBy("copy").includes(name))).toEqual([]);
  const ours = outcome("neco", [2, 4]);
  const copy = outcome("copy", [1, 2], { error: null });
  const result = { work: workOf("gelu"), outcomes: [ours, copy] };
  expect(ratioIn(copy, result)?.median).toBe(0.5);
  expect(table(result, FMA).trimEnd()).toMatch(/copy .* 0\.500 .* 2$/); // no verdict
});

test("a ratio pairs the times of one round", () => {
  // The machine is ten times slower in the second round: both are, and the ratio stays.
  expect(ratioOf([6, 60, 9], [2, 20, 3])).toEqual({
    median: 3,
    mad: 0,
    least: 3,
    most: 3,
    rounds: 3,
  });
  expect(ratioOf([2, 8, 6], [1, 2, 2])).toMatchObject({ median: 3, mad: 1, least: 2, most: 4 });
});

test("rounds that one of the two missed do not count", () => {
  expect(ratioOf([null, 8, 6], [1, null, 2])).toMatchObject({ median: 3, rounds: 1 });
  expect(ratioOf([5, 5], [1])).toMatchObject({ median: 5, rounds: 1 });
  expect(ratioOf([null], [1])).toBeNull();
});

test("the median of an even count is the mean of the middle two", () => {
  expect(summarise([4, 1, 3, 2])).toEqual({ median: 2.5, mad: 1, best: 1, samples: 4 });
});

test("short work is repeated, up to a limit", () => {
  expect([0.001, 1, 5, 100].map(repeatsFor)).toEqual([64, 5, 1, 1]);
});

test("every engine starts a round in turn", () => {
  expect([0, 1, 2, 3].map((round) => turns(["a", "b", "c"], round).join(""))).toEqual([
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
});

test("rounds end with the count or the time, but not before the least", () => {
  const effort = { least: 3, most: 5, budgetMs: 100 };
  const count = (perRound: number): number => {
    let round = 0;
    while (another(round, round * perRound, effort)) round++;
    return round;
  };
  expect([1, 30, 1000].map(count)).toEqual([5, 4, 3]);
  expect(another(1, 0, { ...effort, most: 1 })).toBe(false);
});

test("errors are relative to the largest value; what is missing or not finite is NaN", () => {
  expect(relativeError([1, -4.25], [1, -4])).toBe(0.0625);
  expect(relativeError([0, 0], [0, 0])).toBe(0);
  expect(relativeError([1], [1, 2])).toBeNaN();
  expect(relativeError([1, Number.NaN], [1, 2])).toBeNaN();
  expect(relativeError([Infinity, 1], [1, 2])).toBeNaN();
  const { tolerance } = workOf("softmax");
  expect([tolerance, 2 * tolerance, Number.NaN].map((e) => agrees(e, { tolerance }))).toEqual([
    true,
    false,
    false,
  ]);
});

test("eigenpairs are judged by residual and by orthogonality", () => {
  const matrix = [2, 0, 0, 1];
  const values = Float32Array.of(2, 1);
  const judge = (...vectors: number[]): number =>
    eigenError(matrix, { values, vectors: Float32Array.from(vectors) });
  expect(judge(1, 0, 0, 1)).toBe(0);
  expect(judge(0, 1, 1, 0)).toBeCloseTo(0.5); // columns swapped: λ of the other
  expect(judge(1, 0, 0, 0.5)).toBeCloseTo(0.75); // a right direction, not of length 1
  expect(eigenError(matrix, { values })).toBeNaN();
});

test("figures have three digits", () => {
  expect([0.01234, 1.2345, 12.345, 999.4, 1234.5, 1e-5, Number.NaN].map(figure)).toEqual([
    "0.0123",
    "1.23",
    "12.3",
    "999",
    "1,235",
    "0.0000100",
    "–",
  ]);
  expect(rate({ flops: 2e9, bytes: 0 }, 100)).toBe("20.0 GFLOP/s");
  expect(rate({ flops: 0, bytes: 2e9 }, 1000)).toBe("2.00 GB/s");
});

test("a table shows ratios, disagreement and who is out", () => {
  const work = workOf("softmax");
  const outcomes = [
    outcome("neco", [2, 2, 2]),
    outcome("wrong", [4, 8, 6], { error: 0.5 }),
    outcome("dead", [10, null, null], { failure: "ended with SIGSEGV" }),
    outcome("unable", [], { coldMs: null, error: null, failure: "has no gradients" }),
  ];
  const [, , wrong, dead, unable] = table({ work, outcomes }, FMA).split("\n");
  expect(wrong).toMatch(/^wrong .* 3\.00 ± 1\.00 .* DISAGREES \(5\.0e-1\)$/);
  expect(dead).toMatch(/ 5\.00 ± 0\S* +1 +ok \(1\.0e-7\); ended with SIGSEGV$/);
  expect(unable).toMatch(/^unable +has no gradients$/);
  expect(ratioIn(outcomes[0]!, { work, outcomes })).toBeNull();
  expect(
    aligned([
      ["a", "bb", "c"],
      ["ddd", "e", "f"],
    ]),
  ).toBe("a    bb  c\nddd  e   f");
});

test("an engine's driver is read from what it has mapped", () => {
  const maps = (...files: string[]): string =>
    files.map((file) => `7f00-7f01 r-xp 0 fe:00 1 ${file}\n`).join("");
  const lib = "/usr/lib/x86_64-linux-gnu";
  expect(driversIn(maps(`${lib}/libvulkan_lvp.so`, `${lib}/libvulkan.so.1.3.239`))).toEqual([
    "lvp",
  ]);
  expect(driversIn(maps(`${lib}/libvulkan_lvp.so`, `${lib}/libvulkan_radeon.so`))).toHaveLength(2);
  expect(driversIn(maps("/cache/libvk_swiftshader.so"))).toEqual(["swiftshader"]);
  expect(driversIn(maps(`${lib}/libc.so.6`))).toEqual([]);
});

test("the float64 reference does known sums", () => {
  const input = (shape: number[], values: number[]) => ({
    shape,
    values: Float32Array.from(values),
    weight: false,
  });
  const matmul = { a: input([2, 2], [1, 2, 3, 4]), b: input([2, 2], [5, 6, 7, 8]) };
  expect([...reference64(workOf("matmul-512"), matmul)]).toEqual([19, 22, 43, 50]);
  // One query that likes its second key by ln 3: weights ¼ and ¾ of the values 0 and 4.
  const attention = {
    q: input([1, 1, 1], [1]),
    k: input([1, 2, 1], [0, 8 * Math.log(3)]), // scaled by 1/√64
    v: input([1, 2, 1], [0, 4]),
  };
  expect(reference64(workOf("attention"), attention)[0]).toBeCloseTo(3, 6);
  const [low = 0, high = 0] = reference64(workOf("layernorm"), {
    x: input([1, 2], [1, 3]),
    weight: input([2], [1, 2]),
    bias: input([2], [0, 1]),
  });
  expect(low).toBeCloseTo(-1, 4);
  expect(high).toBeCloseTo(3, 4);
  expect(reference64(workOf("gelu"), { x: input([1, 1], [1]) })[0]).toBeCloseTo(0.841345, 6);
});

test("inputs are those of the other bench, and the same every time", () => {
  const { a } = inputsOf(workOf("eigh-128"));
  expect(a!.values[1]).toBe(a!.values[128]); // symmetric
  expect(inputsOf(workOf("softmax"))).toEqual(inputsOf(workOf("softmax")));
  const step = inputsOf(workOf("small-vit-step"));
  expect(Object.values(step).filter(({ weight }) => !weight)).toHaveLength(2); // patches, labels
});

/** Field numbers and contents of a message, as far as this file's models use the wire format. */
function fieldsOf(bytes: Uint8Array): { field: number; value: number | Uint8Array }[] {
  const fields: { field: number; value: number | Uint8Array }[] = [];
  let at = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const value = varint();
    if (key % 8 === 0) fields.push({ field: key >> 3, value });
    else fields.push({ field: key >> 3, value: bytes.subarray(at, (at += value)) });
  }
  return fields;
}

test("an ONNX model is a graph of the work's nodes, with the fed inputs and one output", () => {
  const work = workOf("attention");
  const { model, output } = onnxModel(work, inputsOf(work));
  const graph = fieldsOf(model).find(({ field }) => field === 7)!.value as Uint8Array;
  const parts = fieldsOf(graph);
  const text = (bytes: number | Uint8Array, wanted: number): string[] =>
    fieldsOf(bytes as Uint8Array)
      .filter(({ field }) => field === wanted)
      .map(({ value }) => new TextDecoder().decode(value as Uint8Array));
  const nodes = parts.filter(({ field }) => field === 1);
  expect(nodes.flatMap(({ value }) => text(value, 4))).toEqual([
    "Transpose",
    "MatMul",
    "Mul",
    "Softmax",
    "MatMul",
  ]);
  const names = (field: number): string[] =>
    parts.filter((part) => part.field === field).flatMap(({ value }) => text(value, 1));
  expect(names(11).sort()).toEqual(["k", "q", "v"]);
  expect(names(12)).toEqual([output]);
});
