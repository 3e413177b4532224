/**
 * `npm run bench:peers`: the same work on other engines and on ours, in turns, in one run on one
 * adapter. Each engine has a process of its own, since two Dawns do not always bear each other.
 */
import { Command } from "commander";
import { endingOf } from "../../src/cli/exit.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { AdapterSummary } from "../../src/engine/index.ts";
import { writeAtomic } from "../../src/platform/node.ts";
import { NumericError, UsageError } from "../../src/util/errors.ts";
import { writePage } from "../files.ts";
import { renderPeers } from "../html/page.ts";
import { GPU_WARM_MS } from "../measure.ts";
import { originLine, originNow } from "../origin.ts";
import { measurePeaks } from "../probes.ts";
import type { Peaks } from "../probes.ts";
import { choose } from "./choose.ts";
import { driverEnvironment } from "./drivers.ts";
import { absent, install } from "./install.ts";
import { aligned, peersReport, table } from "./report.ts";
import type { Missing, PeersReport, WorkOutcome } from "./report.ts";
import { entrants } from "./roster.ts";
import type { Entrant } from "./roster.ts";
import { measureWork, meet } from "./rounds.ts";
import { ownFaults, ownTable } from "./summary.ts";
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
  readonly html?: string;
  readonly adapter?: string;
  readonly install: boolean;
}

const LEAST_ROUNDS = 3;
const PACE = {
  gpu: { warmMs: GPU_WARM_MS, settleMs: 20 },
  cpu: { warmMs: 0, settleMs: 200 },
} as const;
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
  const usual = works.filter(({ name }) => !options.quick || QUICK_WORKS.test(name));
  const work = options.only === undefined ? usual : choose("only", options.only, works);
  if (work.length === 0)
    throw new UsageError(
      `--only ${options.only ?? ""} matches none of ${works.map(({ name }) => name).join(", ")}`,
    );
  const peers = options.peers === undefined ? entrants : choose("peers", options.peers, entrants);
  const engines = entrants.filter(
    (one) => one.name.startsWith("neco") || one.isYardstick || peers.includes(one),
  );
  return { work, engines };
}

function effortOf(options: Options): Omit<Effort, "warmMs" | "settleMs"> {
  const [rounds, seconds, limit] = [options.rounds, options.budget, options.limit].map(Number);
  if (![rounds, seconds, limit].every((value) => value !== undefined && value > 0))
    throw new UsageError("--rounds, --budget and --limit must be numbers above 0");
  const { rounds: quickRounds, seconds: quickSeconds } = QUICK;
  return {
    least: LEAST_ROUNDS,
    most: options.quick ? quickRounds : (rounds ?? 0),
    budgetMs: 1000 * (options.quick ? quickSeconds : (seconds ?? 0)),
    limitMs: 1000 * (limit ?? 0),
  };
}

/** Of all engines' processes. */
const environment = (kind: string): NodeJS.ProcessEnv => ({
  ...process.env,
  ...driverEnvironment(kind),
  NECO_ADAPTER: kind,
  MESA_SHADER_CACHE_DISABLE: "true", // a first run that finds its kernels on disk is not cold
  ORT_DISABLE_TELEMETRY: "1", // onnxruntime reports its use to its makers otherwise
});

/**
 * The page, once the figures are saved.
 * @throws NumericError if results of ours are wrong or missing.
 */
async function finish(report: PeersReport, { html }: Options): Promise<void> {
  if (html !== undefined) {
    await writePage(html, (document) => renderPeers(report, document));
    print(`page: ${html}`);
  }
  const faults = ownFaults(report);
  if (faults.length > 0)
    throw new NumericError(`our own results are not all there and right:\n${faults.join("\n")}`);
}

async function main(options: Options): Promise<void> {
  const { work: wanted, engines } = chosen(options);
  const asked = effortOf(options);
  if (absent(engines.flatMap(({ packages }) => packages)).length > 0 && options.install)
    install(print);
  const { adapter, peaks: before } = await peaksNow(options.adapter);
  const isGpu = adapter.kind === "gpu";
  const effort = { ...asked, ...PACE[isGpu ? "gpu" : "cpu"] };
  const work = wanted.filter(({ isLarge }) => isGpu || !isLarge || options.only !== undefined);
  const software = isGpu ? "" : " (software: these are not GPU speeds)";
  const origin = originNow();
  print(`adapter: ${adapter.description}${software}\n${originLine(origin)}`);
  print(`peaks before: ${peaksLine(before)}\nengines:`);
  const env = environment(adapter.kind);
  const { present, missing } = await muster(engines, env, { adapter, limitMs: effort.limitMs });
  const setting = {
    adapter,
    ...origin,
    node: process.version,
    date: new Date().toISOString(),
    command: ["npm run bench:peers --", ...process.argv.slice(2)].join(" "),
    missing,
  };
  const report = (after: Peaks | null): PeersReport =>
    peersReport({ ...setting, peaks: { before, after } }, results);
  const save = async (after: Peaks | null): Promise<void> => {
    if (options.json)
      await writeAtomic(options.json, `${JSON.stringify(report(after), null, 1)}\n`);
  };
  const results: WorkOutcome[] = [];
  for (const one of work) {
    const result = await measureWork(one, present, { env, effort, say: whisper });
    whisper("");
    results.push(result);
    print(`\n${one.title}\n${table(result, before.fma.rate)}`);
    await save(null); // a long run that is cut short keeps what it has
  }
  const { peaks: after } = await peaksNow(options.adapter);
  print(`\n${aligned(ownTable(report(after)))}\n\npeaks after: ${peaksLine(after)}`);
  if (missing.length > 0) print(`missing: ${missing.map(({ engine }) => engine).join(", ")}`);
  await save(after);
  await finish(report(after), options);
}

const PATTERN =
  "a regular expression; else names, beginnings or globs as npm run bench takes them, with commas";

const EXAMPLES = `
Ends with 1 if a result of ours disagrees with float64 or is missing; what other engines get wrong is
in the tables only. Files are written first.

Examples:
  npm run bench:peers -- --only '^(matmul-512|softmax)$' --peers '^(tfjs|onnxruntime)-webgpu$'
  npm run bench:peers -- --only 'matmul-512,softmax' --peers '*-webgpu' --html peers.html`;

const ending = await new Command("bench:peers")
  .exitOverride()
  .description("the same work on other engines and on ours, in turns, on one adapter")
  .option("--only <pattern>", `works by name: ${PATTERN}`)
  .option("--peers <pattern>", "peers by name, likewise; ours and copies always take part")
  .option("--rounds <n>", "most rounds of a work", "20")
  .option("--budget <seconds>", "time of a work after which no round starts", "60")
  .option("--limit <seconds>", "time of one answer after which an engine is given up", "300")
  .option("--quick", "a few rounds of the short works")
  .option("--json <file>", "write the figures there, schema neco-webgpu/bench-peers@1")
  .option("--html <file>", "write a page there: ratios, a chart and a table for each work")
  .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader")
  .option("--no-install", "go on without peers that are not installed")
  .addHelpText("after", EXAMPLES)
  .action(main)
  .parseAsync()
  .then(() => ({ code: 0, message: "" }), endingOf);
if (ending.message !== "") console.error(ending.message);
process.exit(ending.code); // killed processes' channels may linger
