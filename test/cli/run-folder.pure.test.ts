/** A run folder survives crashes, refuses to be overwritten and says what it lacks. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { creditsOf, groupsOf } from "../../src/cli/credits.ts";
import { reportInput, writeReport } from "../../src/cli/report.ts";
import * as run from "../../src/cli/run-folder.ts";
import { hostArray, storeArrays } from "../../src/io/index.ts";
import type { MetricRow, RunConfig } from "../../src/report/index.ts";
import { sample } from "../report/sample.ts";

let folder = "";
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "neco-run-")), "run");
});

if (sample.config === null) throw new Error("the sample has a configuration");
const config: RunConfig = {
  ...sample.config,
  notes: {
    ood: [
      {
        name: "fashion",
        spec: "fashion-mnist",
        group: "far",
        title: "Fashion-MNIST",
        credit: "Zalando, MIT",
        hash: "cd",
        n: 301,
      },
      { name: "bad", group: "sideways" },
    ],
  },
};

const evaluation = (step: number, accuracy: number): MetricRow => ({
  type: "eval",
  step,
  split: "val",
  loss: 1,
  accuracy,
  n: 10,
});

function touchCheckpoints(...steps: number[]): void {
  for (const step of steps) writeFileSync(run.checkpointPath(folder, step), "");
}

test("a run is made once, read back, and not overwritten", async () => {
  await run.createRun(folder, config);
  expect(await run.openRun(folder)).toEqual(config);
  await expect(run.createRun(folder, config)).rejects.toThrow(/holds a run already.*--resume/);
});

test("no run, or a file that is none", async () => {
  await expect(run.openRun(folder)).rejects.toThrow(/holds no run .*neco train --out/);
  await run.createRun(folder, config);
  writeFileSync(run.runPath(folder, "config"), '{"schema":"other"}');
  await expect(run.openRun(folder)).rejects.toThrow(/no configuration of a run/);
});

test("steps are those of whole checkpoints, in order", async () => {
  await run.createRun(folder, config);
  expect(await run.listSteps(folder)).toEqual([]);
  touchCheckpoints(100, 9, 20);
  writeFileSync(join(folder, "checkpoints", ".step-30.safetensors.tmp"), "");
  expect(await run.listSteps(folder)).toEqual([9, 20, 100]);
});

test("metrics: a line cut short is left out, rows after a step are dropped", async () => {
  await run.createRun(folder, config);
  expect(await run.readMetrics(folder)).toEqual([]);
  for (const step of [10, 20, 30]) await run.appendMetrics(folder, evaluation(step, 0.5));
  appendFileSync(run.runPath(folder, "metrics"), '{"type":"eval","st');
  expect((await run.readMetrics(folder)).map(({ step }) => step)).toEqual([10, 20, 30]);
  await run.truncateMetrics(folder, 20);
  expect((await run.readMetrics(folder)).map(({ step }) => step)).toEqual([10, 20]);
  expect(readFileSync(run.runPath(folder, "metrics"), "utf8")).toMatch(/^(\{.*\}\n){2}$/);
});

test("best is the highest ID validation accuracy among kept checkpoints", () => {
  const rows = [
    evaluation(10, 0.9),
    evaluation(20, 0.95),
    evaluation(30, 0.95),
    evaluation(40, 0.99),
  ];
  expect(run.bestStep(rows, [10, 20, 30])).toBe(20);
  expect(run.bestStep([], [10])).toBe(null);
});

test("--step names", async () => {
  await run.createRun(folder, config);
  await expect(run.resolveStep(folder, "last")).rejects.toThrow(/no checkpoint yet/);
  touchCheckpoints(10, 20);
  await run.appendMetrics(folder, evaluation(10, 0.9));
  expect(await run.resolveStep(folder, "last")).toBe(20);
  expect(await run.resolveStep(folder, "best")).toBe(10);
  expect(await run.resolveStep(folder, "20")).toBe(20);
  await expect(run.resolveStep(folder, "30")).rejects.toThrow(/there are 10, 20/);
  await run.removeCheckpoints(folder, [10, 11]);
  expect(await run.listSteps(folder)).toEqual([20]);
});

test("feature files are named by data set, split and step", () => {
  expect(run.featuresPath("r", { dataset: "my set/a", split: "test", step: 7 })).toBe(
    join("r", "features", "my-set-a-test-step7.npz"),
  );
});

test("groups and credits come from the run and from the evaluation", () => {
  expect(groupsOf(config, null)).toEqual({ fashion: "far" });
  expect(creditsOf(config).map(({ hash }) => hash)).toEqual([config.dataset.hash, "cd"]);
  expect(creditsOf(null)).toEqual([]);
});

test("a report is written from the files, whole, and nothing else is left", async () => {
  await run.createRun(folder, config);
  await run.saveJson(run.runPath(folder, "ood"), sample.ood);
  await run.saveJson(run.runPath(folder, "nc"), sample.nc);
  await storeArrays(run.runPath(folder, "scores"), {
    "neco/id": hostArray(Float32Array.of(3, 2, 4)),
    "neco/fashion": hostArray(Float32Array.of(1, 2)),
  });
  const input = await reportInput(folder, { now: new Date("2026-01-02T03:04:05Z") });
  expect(input.distributions["neco"]?.["fashion"]?.ood.reduce((a, b) => a + b)).toBe(2);
  const path = await writeReport(folder, { title: "A title" });
  expect(readFileSync(path, "utf8")).toContain("<title>A title</title>");
  expect(readdirSync(folder).sort()).toEqual([
    "checkpoints",
    "config.json",
    "nc.json",
    "ood.json",
    "report.html",
    "scores.npz",
  ]);
});
