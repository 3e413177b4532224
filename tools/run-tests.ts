/**
 * Runs the three groups of tests one after another (they would disturb each other's timing),
 * skips aloud what this machine cannot run, and closes with one line of true counts.
 * `--quick`: pure tests and the fast part of the gpu tests. Other arguments filter test files.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openGpu } from "../src/platform/node.ts";
import { findChromium } from "./chromium.ts";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Group {
  readonly name: "pure" | "gpu" | "browser";
  /** Why this machine cannot run it, or null. */
  readonly obstacle: string | null;
}

const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };
const ROOT = join(import.meta.dirname, "..");
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");

const quick = process.argv.includes("--quick");
const filters = process.argv.slice(2).filter((argument) => argument !== "--quick");
const folder = mkdtempSync(join(tmpdir(), "neco-tests-"));
// SIGINT reaches the running group by itself; this process then closes with the counts.
let interrupted = false;
process.on("SIGINT", () => {
  interrupted = true;
});

try {
  process.exitCode = await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function main(): Promise<number> {
  const started = Date.now();
  let total = NONE;
  let broken = false;
  for (const group of await groups()) {
    const { counts, ok } = await (group.obstacle === null ? run(group.name) : skip(group));
    total = sum(total, counts);
    broken ||= !ok;
    if (interrupted) break;
  }
  const minutes = ((Date.now() - started) / 60_000).toFixed(1);
  if (!interrupted && total.passed + total.failed === 0)
    console.log("no test ran: check the filter");
  console.log(`took ${minutes} min`);
  console.log(`tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  if (interrupted) return 130;
  return broken || total.failed > 0 || total.passed === 0 ? 1 : 0;
}

async function groups(): Promise<Group[]> {
  const adapter = await openGpu().then(
    ({ description }) => ({ description, obstacle: null }),
    (error: unknown) => ({ description: "none", obstacle: String(error) }),
  );
  console.log(`adapter: ${adapter.description}`);
  return [
    { name: "pure", obstacle: null },
    { name: "gpu", obstacle: adapter.obstacle },
    { name: "browser", obstacle: browserObstacle() },
  ];
}

function browserObstacle(): string | null {
  if (quick) return "--quick leaves them out";
  return findChromium() ? null : "no Chromium here: install one, or name it in NECO_CHROMIUM";
}

async function run(name: Group["name"]): Promise<{ counts: Counts | null; ok: boolean }> {
  console.log(`\n── ${name} tests ──`);
  const output = join(folder, `${name}.json`);
  const status = await vitest([
    ...["run", "--project", name, "--passWithNoTests"],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${output}`],
    ...filters,
  ]);
  const counts = readCounts(output);
  return { counts, ok: status === 0 && counts !== null };
}

/** Says aloud what is not run; counts the tests by collecting them. CI must run everything. */
async function skip({ name, obstacle }: Group): Promise<{ counts: Counts | null; ok: boolean }> {
  console.log(`\n── ${name} tests SKIPPED: ${obstacle ?? ""} ──`);
  const output = join(folder, `${name}-list.json`);
  await vitest(["list", "--project", name, `--json=${output}`, ...filters]);
  const list = readJson(output);
  const skipped = Array.isArray(list) ? list.length : 0;
  return { counts: { ...NONE, skipped }, ok: quick || !process.env["CI"] };
}

function vitest(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...(quick ? { NECO_TEST_QUICK: "1" } : {}) };
    const child = spawn(process.execPath, [VITEST, ...args], { cwd: ROOT, stdio: "inherit", env });
    child.on("error", reject);
    child.on("exit", (code) => {
      resolve(code ?? 1);
    });
  });
}

/** Null if vitest wrote no report; a file that fails to load counts as one failed test. */
function readCounts(path: string): Counts | null {
  const report = readJson(path);
  if (typeof report !== "object" || report === null) return null;
  const field = (name: string): number => {
    const value: unknown = Reflect.get(report, name);
    return typeof value === "number" ? value : 0;
  };
  return {
    passed: field("numPassedTests"),
    failed: field("numFailedTests") + unloadable(Reflect.get(report, "testResults")),
    skipped: field("numPendingTests") + field("numTodoTests"),
  };
}

function unloadable(files: unknown): number {
  if (!Array.isArray(files)) return 0;
  return files.filter((file: unknown) => {
    if (typeof file !== "object" || file === null) return false;
    const tests: unknown = Reflect.get(file, "assertionResults");
    return Reflect.get(file, "status") === "failed" && Array.isArray(tests) && tests.length === 0;
  }).length;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function sum(a: Counts, b: Counts | null): Counts {
  return {
    passed: a.passed + (b?.passed ?? 0),
    failed: a.failed + (b?.failed ?? 0),
    skipped: a.skipped + (b?.skipped ?? 0),
  };
}
