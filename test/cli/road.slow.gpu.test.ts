/** The road by the command line, small: train, be killed, be stopped, resume to the same bits, evaluate, judge, report. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { loadDataset } from "../../src/data/registry.ts";
import { isRecord } from "../../src/io/json.ts";

const TOOL = fileURLToPath(new URL("../../tools/neco.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "neco-road-"));
const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
const STEPS = 40;
const EVERY = 5; // steps between checkpoints

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command; sends a signal as soon as `when` holds. */
function neco(
  words: readonly string[],
  stop?: { signal: NodeJS.Signals; when: () => boolean },
): Promise<Ended> {
  const child = spawn(process.execPath, [TOOL, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (part) => (out += String(part)));
  child.stderr.on("data", (part) => (err += String(part)));
  const watch = setInterval(() => {
    if (stop?.when() !== true) return;
    clearInterval(watch);
    child.kill(stop.signal);
  }, 20);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearInterval(watch);
      resolve({ code, signal, out, err });
    });
  });
}

const training = (out: string): string[] => [
  ...["train", "--dataset", "mnist-10k:0-1", "--model", "vit-nano-28", "--out", out, "--seed", "7"],
  ...["--num-steps", String(STEPS), "--batch-size", "32", "--eval-every", String(EVERY)],
];

const lastStep = (run: string): number =>
  Math.max(
    0,
    ...(existsSync(join(run, "checkpoints")) ? readdirSync(join(run, "checkpoints")) : []).map(
      (name) => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? 0),
    ),
  );

const weights = (run: string, step: number): Buffer =>
  readFileSync(join(run, "checkpoints", `step-${step}.safetensors`));

const json = (file: string): Record<string, unknown> => {
  const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!isRecord(parsed)) throw new Error(`${file} holds no object`);
  return parsed;
};

/** Label and score of the first judgement. */
function judged(file: string): { label: unknown; score: number } {
  const list = json(file)["judgements"];
  const first: unknown = Array.isArray(list) ? list[0] : null;
  if (!isRecord(first)) throw new Error(`${file} holds no judgement`);
  return { label: first["label"], score: Number(first["score"]) };
}

beforeAll(async () => {
  const { code, err } = await neco(training(whole));
  expect(code, err).toBe(0);
});

describe("a run that is killed, stopped and resumed", () => {
  test("ends with the bits of one that was not", async () => {
    const reached = (step: number) => (): boolean => lastStep(broken) >= step;
    const killed = await neco(training(broken), { signal: "SIGKILL", when: reached(EVERY) });
    expect(killed.signal).toBe("SIGKILL");
    const from = lastStep(broken);
    const resume = ["train", "--resume", broken];
    const stopped = await neco(resume, { signal: "SIGINT", when: reached(from + EVERY) });
    expect(stopped.code, stopped.err).toBe(130);
    expect(stopped.err).toMatch(/stopped at step \d+; go on with --resume/);
    const ended = await neco(resume);
    expect(ended.code, ended.err).toBe(0);
    expect(ended.err).toMatch(/going on from step \d+ of 40/);
    expect(weights(broken, STEPS).equals(weights(whole, STEPS))).toBe(true);
  });

  test("logs every step once", () => {
    const rows = readFileSync(join(broken, "metrics.jsonl"), "utf8").trim().split("\n");
    const steps = rows
      .filter((row) => row.includes('"train"'))
      .map((row) => /"step":(\d+)/.exec(row)?.[1]);
    expect(new Set(steps).size).toBe(steps.length);
  });

  test("is not overwritten by a new run", async () => {
    const { code, err } = await neco(training(whole));
    expect(code).toBe(1);
    expect(err).toContain("--resume");
  });
});

describe("evaluation of the run", () => {
  beforeAll(async () => {
    const sets = ["--ood", "digits-8-9=mnist-10k:8-9", "--near", "digits-8-9", "--ood", "noise"];
    // One method that sees the images again: all of them take minutes on SwiftShader.
    const methods = ["--methods", "msp,neco,mahalanobis,odin"];
    const { code, err } = await neco(["ood", "--run", whole, ...sets, ...methods]);
    expect(code, err).toBe(0);
  });

  test("leaves results, figures' data and a detector", () => {
    for (const file of [
      "ood.json",
      "scores.npz",
      "sweep.json",
      "pca.json",
      "examples.json",
      "detector.safetensors",
    ])
      expect(existsSync(join(whole, file)), file).toBe(true);
    expect(json(join(whole, "ood.json"))).toMatchObject({
      schema: "neco-webgpu/ood@1",
      config: { groups: { "digits-8-9": "near", noise: "control" } },
      results: {
        neco: { sets: { "digits-8-9": { n: 290 } }, far: null },
        odin: { sets: { "digits-8-9": { n: 290 } } },
      },
    });
  });

  test("neural collapse knows the run's OOD sets", async () => {
    const { code, err } = await neco(["nc", "--run", whole]);
    expect(code, err).toBe(0);
    const nc = json(join(whole, "nc.json"));
    expect(nc["schema"]).toBe("neco-webgpu/nc@1");
    expect(Array.isArray(nc["steps"])).toBe(true);
    expect(Object.keys(isRecord(nc["nc5"]) ? nc["nc5"] : {})).toEqual(["digits-8-9", "noise"]);
  });

  test("a digit file and its features are judged alike", async () => {
    const dataset = await loadDataset("mnist-10k:0-1");
    const image = join(folder, "digit.png");
    const pixels = await dataset.splits.test.images([0]);
    await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toFile(image);
    const features = join(folder, "one.npz");
    await neco([
      "extract",
      "--run",
      whole,
      "--split",
      "test",
      "--shard",
      `0/${dataset.splits.test.count}`,
      "--out",
      features,
    ]);
    const [byImage, byFeatures] = [join(folder, "a.json"), join(folder, "b.json")];
    const first = await neco(["detect", "--run", whole, image, "--json", byImage]);
    expect(first.code, first.err).toBe(0);
    const second = await neco(["detect", "--run", whole, features, "--json", byFeatures]);
    expect(second.code, second.err).toBe(0);
    expect(judged(byImage).label).toBe(judged(byFeatures).label);
    expect(judged(byImage).score).toBeCloseTo(judged(byFeatures).score, 4);
  });

  test("an ensemble of two runs: the second's logits are extracted into it, and kept", async () => {
    const second = join(folder, "second");
    const words = training(second).map((word) => (word === "7" ? "8" : word)); // the seed
    const trained = await neco(words);
    expect(trained.code, trained.err).toBe(0);
    const out = join(folder, "ensemble.json");
    const sets = ["--ood", "digits-8-9=mnist-10k:8-9", "--methods", "msp,ensemble"];
    const both = ["ood", "--run", whole, "--ensemble", second, ...sets, "--json", out];
    const { code, err } = await neco(both);
    expect(code, err).toBe(0);
    expect(json(out)).toMatchObject({
      config: { ensemble_models: 2 },
      results: { ensemble: { params: { mean: "logits" }, sets: { "digits-8-9": { n: 290 } } } },
      skipped: {},
    });
    expect(readdirSync(join(second, "features")).length).toBe(2); // ID test and the OOD set
    const again = await neco(both);
    expect(again.err).not.toContain("extracting again");
    expect((await neco([...both, "--ensemble", whole])).err).toMatch(/is a model that is already/);
  });

  test("the report has it all in one file", async () => {
    const { code, err } = await neco(["report", whole]);
    expect(code, err).toBe(0);
    const page = readFileSync(join(whole, "report.html"), "utf8");
    for (const part of [
      "digits-8-9",
      "Neural collapse",
      "data:image/png",
      "CC BY-SA 3.0",
      "n = 290",
    ])
      expect(page).toContain(part);
  });
});
