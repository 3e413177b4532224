/**
 * `npm run bench:peers`: the same work on other engines and on ours, in turns, in one run on one
 * adapter. Each engine has a process of its own, since two Dawns do not always bear each other.
 */
import { Command } from "commander";
import { writeFileSync } from "node:fs";
import { createEngine } from "../../src/engine/index.ts";
import type { AdapterSummary } from "../../src/engine/index.ts";
import { measurePeaks } from "../probes.ts";
import type { Peaks } from "../probes.ts";
import { driverEnvironment } from "./drivers.ts";
import { absent, install } from "./install.ts";
import { json, table } from "./report.ts";
import type { Missing, WorkOutcome } from "./report.ts";
import { entrants } from "./roster.ts";
import type { Entrant } from "./roster.ts";
import { measureWork, meet } from "./rounds.ts";
import type { Effort, Present } from "./rounds.ts";
import { works } from "./works.ts";
import type { Work } from "./works.ts";

interface Options {
  readonly only?: string;
  readonly peers?: string;
  readonly rounds: string;
  readonly budget: string;
  readonly limit: string;
  readonly quick?: boolean;
  readonly json?: string;
  readonly adapter?: string;
  readonly install: boolean;
}

const LEAST_ROUNDS = 3;
const QUICK = { rounds: 3, seconds: 10 };
const QUICK_WORKS = /^(matmul-512|attention|softmax|layernorm|gelu|eigh-128)$/;

const print = (line: string): void => {
  console.log(line);
};
const whisper = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
};

/** Peaks of the adapter; the engine that measures them is gone when the peers start. */
async function peaksNow(adapter?: string): Promise<{ adapter: AdapterSummary; peaks: Peaks }> {
  const engine = await createEngine(adapter === undefined ? {} : { adapter });
  const peaks = await measurePeaks(engine);
  engine.destroy();
  return { adapter: engine.adapter, peaks };
}

const peaksLine = ({ fma, copy }: Peaks): string =>
  `FMA ${fma.rate.toFixed(1)} GFLOP/s, copy ${copy.rate.toFixed(1)} GB/s`;

/** Which engines this machine has, all on one adapter. */
async function muster(
  wanted: readonly Entrant[],
  env: NodeJS.ProcessEnv,
  { adapter, limitMs }: { adapter: AdapterSummary; limitMs: number },
): Promise<{ present: Present[]; missing: Missing[] }> {
  const present: Present[] = [];
  const missing: Missing[] = [];
  for (const entrant of wanted)
    try {
      const lacking = absent(entrant.packages);
      if (lacking.length > 0) throw new Error(`not installed: ${lacking.join(", ")}`);
      const found = await meet(entrant, env, limitMs);
      const same = [adapter.description, adapter.kind, null].includes(found.adapter);
      if (!same) throw new Error(`runs on another adapter: ${found.adapter ?? ""}`);
      present.push({ entrant, version: found.version });
      print(`  ${entrant.name}: ${found.version}${found.adapter === null ? ", on the CPU" : ""}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      missing.push({ engine: entrant.name, why });
      print(`  ${entrant.name}: MISSING, ${why}`);
    }
  return { present, missing };
}

function chosen(options: Options): { work: Work[]; engines: Entrant[] } {
  const pattern = new RegExp(options.only ?? ".");
  const work = works.filter(
    ({ name }) =>
      pattern.test(name) &&
      (!options.quick || options.only !== undefined || QUICK_WORKS.test(name)),
  );
  if (work.length === 0)
    throw new RangeError(
      `--only ${options.only ?? ""} matches none of ${works.map(({ name }) => name).join(", ")}`,
    );
  const peers = new RegExp(options.peers ?? ".");
  const engines = entrants.filter(({ name }) => name.startsWith("neco") || peers.test(name));
  return { work, engines };
}

function effortOf(options: Options): Effort {
  const [rounds, seconds, limit] = [options.rounds, options.budget, options.limit].map(Number);
  if (![rounds, seconds, limit].every((value) => value !== undefined && value > 0))
    throw new RangeError("--rounds, --budget and --limit must be numbers above 0");
  const { rounds: quickRounds, seconds: quickSeconds } = QUICK;
  return {
    least: LEAST_ROUNDS,
    most: options.quick ? quickRounds : (rounds ?? 0),
    budgetMs: 1000 * (options.quick ? quickSeconds : (seconds ?? 0)),
    limitMs: 1000 * (limit ?? 0),
  };
}

async function main(options: Options): Promise<void> {
  const { work, engines } = chosen(options);
  const effort = effortOf(options);
  if (absent(engines.flatMap(({ packages }) => packages)).length > 0 && options.install)
    install(print);
  const { adapter, peaks: before } = await peaksNow(options.adapter);
  const software = adapter.kind === "gpu" ? "" : " (software: these are not GPU speeds)";
  print(`adapter: ${adapter.description}${software}\npeaks before: ${peaksLine(before)}\nengines:`);
  const env = {
    ...process.env,
    ...driverEnvironment(adapter.kind),
    NECO_ADAPTER: adapter.kind,
    MESA_SHADER_CACHE_DISABLE: "true", // a first run that finds its kernels on disk is not cold
    ORT_DISABLE_TELEMETRY: "1", // onnxruntime reports its use to its makers otherwise
  };
  const { present, missing } = await muster(engines, env, { adapter, limitMs: effort.limitMs });
  const setting = {
    adapter,
    node: process.version,
    date: new Date().toISOString(),
    command: ["npm run bench:peers --", ...process.argv.slice(2)].join(" "),
    missing,
  };
  const results: WorkOutcome[] = [];
  const save = (after: Peaks | null): void => {
    if (options.json)
      writeFileSync(options.json, json({ ...setting, peaks: { before, after } }, results));
  };
  for (const one of work) {
    const result = await measureWork(one, present, { env, effort, say: whisper });
    whisper("");
    results.push(result);
    print(`\n${one.title}\n${table(result)}`);
    save(null); // a long run that is cut short keeps what it has
  }
  const { peaks: after } = await peaksNow(options.adapter);
  print(`\npeaks after: ${peaksLine(after)}`);
  save(after);
}

await new Command("bench:peers")
  .description("the same work on other engines and on ours, in turns, on one adapter")
  .option("--only <pattern>", "works whose name matches this expression")
  .option("--peers <pattern>", "peers whose name matches this expression")
  .option("--rounds <n>", "most rounds of a work", "20")
  .option("--budget <seconds>", "time of a work after which no round starts", "60")
  .option("--limit <seconds>", "time of one answer after which an engine is given up", "300")
  .option("--quick", "a few rounds of the short works")
  .option("--json <file>", "write the figures there, schema neco-webgpu/bench-peers@1")
  .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader")
  .option("--no-install", "go on without peers that are not installed")
  .action(main)
  .parseAsync();
process.exit(); // killed processes' channels may linger
