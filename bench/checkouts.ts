/**
 * `npm run bench:compare -- BASE`: the same rows in another checkout and in this one, in turns, so
 * that what slows the machine down slows both. Each turn is a process: kernels compile anew.
 */
import { Command } from "commander";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { endingOf } from "../src/cli/exit.ts";
import { textTable } from "../src/report/index.ts";
import { DataError } from "../src/util/errors.ts";
import { readReport } from "./files.ts";
import { positive } from "./options.ts";
import { ratioText, turns } from "./ratios.ts";
import { pairRows } from "./pairs.ts";
import type { BenchReport } from "./report.ts";

interface Options {
  readonly only: string;
  readonly rounds: number;
  readonly budget: number;
  readonly adapter?: string;
}

const HEAD = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs a checkout's own bench and reads what it wrote.
 * @throws DataError if that bench fails; it has said why.
 */
async function measure(
  checkout: string,
  { only, budget, adapter }: Options,
  file: string,
): Promise<BenchReport> {
  const words = ["--only", only, "--budget", String(budget), "--json", file];
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "bench/main.ts", ...words, ...(adapter ? ["--adapter", adapter] : [])],
    { cwd: checkout, stdio: ["ignore", "ignore", "inherit"] },
  );
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("exit", done);
  });
  if (code !== 0)
    throw new DataError(`${checkout}: its bench ended with ${code ?? "a signal"}; see above`);
  return readReport(file);
}

async function main(base: string, options: Options): Promise<void> {
  const checkouts = [resolve(base), HEAD] as const;
  const absent = [join(checkouts[0], "bench/main.ts"), join(checkouts[0], "node_modules")].find(
    (path) => !existsSync(path),
  );
  if (absent !== undefined)
    throw new DataError(`${absent} does not exist: give a checkout with its packages installed`);
  const folder = mkdtempSync(join(tmpdir(), "bench-compare-"));
  const runs = { base: new Array<BenchReport>(), head: new Array<BenchReport>() };
  try {
    for (let round = 0; round < options.rounds; round++)
      for (const side of turns(["base", "head"] as const, round)) {
        const checkout = side === "base" ? checkouts[0] : checkouts[1];
        console.log(`round ${round + 1}: ${side}`);
        runs[side].push(await measure(checkout, options, join(folder, "run.json")));
      }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const body = pairRows(runs).map(({ key, ratio }) => [
    key,
    ratioText(ratio),
    ratio ? `${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)}` : "only in one checkout",
  ]);
  console.log(`\n${textTable(["row", "base / head", "range"], body)}`);
}

const ending = await new Command("bench:compare")
  .exitOverride()
  .description("time rows of another checkout and of this one in turns, a process each")
  .argument("<base>", "the other checkout's folder, with its packages installed")
  .requiredOption("--only <patterns>", "rows, as npm run bench takes them")
  .option("--rounds <n>", "turns of each checkout", positive, 5)
  .option("--budget <seconds>", "time of a row in a turn", positive, 3)
  .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader")
  .action(main)
  .parseAsync()
  .then(() => ({ code: 0, message: "" }), endingOf);
if (ending.message !== "") console.error(ending.message);
process.exitCode = ending.code;
