/** `npm run bench:large`: `neco ood` on feature files as large as ImageNet's, with its time and memory. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { endingOf } from "../../src/cli/exit.ts";
import { needsImages } from "../../src/neco/score.ts";
import { scores } from "../../src/neco/registry.ts";
import type { Timings } from "../../src/neco/stopwatch.ts";
import { writeAtomic } from "../../src/platform/node.ts";
import { positive } from "../options.ts";
import { makeFeatures } from "./features.ts";
import type { FeaturePaths, Sizes } from "./features.ts";
import { largeTables } from "./report.ts";
import type { LargeReport, LargeRun } from "./report.ts";
import { watchNeco } from "./watch.ts";

interface Options {
  readonly scale: number;
  readonly train: number;
  readonly test: number;
  readonly sets: number;
  readonly dim: number;
  readonly classes: number;
  readonly seed: number;
  readonly only?: string;
  readonly methods?: string;
  readonly json?: string;
  readonly scores?: string;
}

/** Methods that compare every sample with every training sample. */
const SEARCHING = ["knn", "relation"];

const ofFeatures = scores.filter((score) => !needsImages(score)).map(({ name }) => name);

/** The runs by name. */
const runs: Readonly<Record<string, readonly string[]>> = {
  "without searches": ofFeatures.filter((name) => !SEARCHING.includes(name)),
  "with kNN and relation": ofFeatures,
};

const print = (line: string): void => {
  console.log(line);
};

/** What `neco ood --timings` writes. */
interface TimingsFile {
  readonly adapter: string;
  readonly seconds: Timings;
  readonly peak_buffer_bytes: number;
}

async function runOnce(
  name: string,
  methods: readonly string[],
  { folder, paths, options }: { folder: string; paths: FeaturePaths; options: Options },
): Promise<LargeRun & { readonly adapter: string }> {
  const file = join(folder, "timings.json");
  const watched = await watchNeco([
    ...["ood", "--id-train", paths.train, "--id-test", paths.test, "--head", paths.head],
    ...paths.ood.flatMap((set) => ["--ood", `${set.name}=${set.file}`]),
    ...["--methods", methods.join(","), "--timings", file],
    ...(options.scores === undefined ? [] : ["--scores", options.scores]),
  ]);
  // Written by the command that just ended.
  const timings = JSON.parse(await readFile(file, "utf8")) as TimingsFile;
  return {
    name,
    ...watched,
    timings: timings.seconds,
    peakBufferBytes: timings.peak_buffer_bytes,
    adapter: timings.adapter,
  };
}

async function main(options: Options): Promise<void> {
  const { scale, train, test, sets, dim, classes, seed, only, json } = options;
  const scaled = (rows: number): number => Math.round(rows * scale);
  const sizes: Sizes = { train: scaled(train), test: scaled(test), sets, dim, classes, seed };
  const folder = await mkdtemp(join(tmpdir(), "neco-large-"));
  try {
    const start = performance.now();
    const paths = await makeFeatures(folder, sizes);
    print(`features made in ${((performance.now() - start) / 1000).toFixed(0)} s`);
    const found: (LargeRun & { readonly adapter: string })[] = [];
    for (const [name, methods] of Object.entries(runs)) {
      if (only !== undefined && !name.includes(only)) continue;
      found.push(
        await runOnce(name, options.methods?.split(",") ?? methods, { folder, paths, options }),
      );
    }
    const report: LargeReport = {
      schema: "neco-webgpu/large@1",
      adapter: found[0]?.adapter ?? "none",
      date: new Date().toISOString(),
      node: process.version,
      sizes,
      runs: found,
    };
    print(`\n${report.adapter}\n\n${largeTables(report)}`);
    if (json !== undefined) await writeAtomic(json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const EXAMPLES = `
Peak host memory is the process's own (VmHWM); on a software adapter GPU buffers are part of it.

Examples:
  npm run bench:large -- --scale 0.1
  npm run bench:large -- --only without --json large.json`;

const command = new Command("bench:large")
  .exitOverride()
  .description("neco ood with all methods of features on made-up files, its wall time and memory")
  .option("--train <n>", "ID training samples", positive, 50_000)
  .option("--test <n>", "samples of the ID test set and of each OOD set", positive, 10_000)
  .option("--sets <n>", "OOD sets", positive, 5)
  .option("--dim <n>", "feature columns", positive, 768)
  .option("--classes <n>", "classes", positive, 1000)
  .option("--scale <x>", "share of the samples, to look quickly", positive, 1)
  .option("--seed <n>", "of the features", positive, 1)
  .option("--only <text>", `a run whose name holds this: ${Object.keys(runs).join(", ")}`)
  .option("--methods <names>", "these methods instead")
  .option("--scores <file.npz>", "keep the score vectors of the last run")
  .option("--json <file>", "write the figures there, schema neco-webgpu/large@1")
  .addHelpText("after", EXAMPLES)
  .action(main);

const ending = await command.parseAsync().then(() => ({ code: 0, message: "" }), endingOf);
if (ending.message !== "") console.error(ending.message);
process.exit(ending.code); // no engine lives here, but a watched command may have left handles
