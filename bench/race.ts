/**
 * `npm run bench:race -- BASE`: rows of another checkout and of this one in turns in one process, every
 * kernel compiled once. Ratios of it are spared what tells two processes apart (bench:compare): where
 * memory came to lie, and how fast the machine was when each ran.
 */
import { Command } from "commander";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { endingOf } from "../src/cli/exit.ts";
import type * as EngineModule from "../src/engine/index.ts";
import { hasTimestamps } from "../src/engine/profile.ts";
import type * as ProfileModule from "../src/engine/profile.ts";
import { textTable } from "../src/report/index.ts";
import { DataError } from "../src/util/errors.ts";
import type { Caps } from "../src/kernels/op.ts";
import type * as MeasureModule from "./measure.ts";
import { positive } from "./options.ts";
import { another, ratioOf, ratioText, turns } from "./ratios.ts";
import type * as RowsModule from "./rows/index.ts";
import { chooseRows, keyOf } from "./rows/row.ts";
import type { Row } from "./rows/row.ts";

interface Options {
  readonly only: string;
  readonly rounds: number;
  readonly budget: number;
  readonly adapter?: string;
}

/** What a race needs of a checkout: each runs its own engine, rows and clock. */
type Modules = Pick<typeof EngineModule, "createEngine"> &
  Pick<typeof ProfileModule, "QueueTimer"> &
  Pick<typeof MeasureModule, "repeatsFor" | "sample" | "summarise"> &
  Pick<typeof RowsModule, "benchRows">;

const FILES = [
  "src/engine/index.ts",
  "src/engine/profile.ts",
  "bench/measure.ts",
  "bench/rows/index.ts",
] as const;
const LEAST_ROUNDS = 5;
const HEAD = fileURLToPath(new URL("..", import.meta.url));

/**
 * The modules of a checkout.
 * @throws DataError naming the file or folder that it lacks.
 */
async function modulesOf(checkout: string): Promise<Modules> {
  const absent = [...FILES, "node_modules"].find((path) => !existsSync(join(checkout, path)));
  if (absent !== undefined)
    throw new DataError(
      `${join(checkout, absent)} does not exist: give a checkout with its packages installed`,
    );
  const found: object[] = await Promise.all(
    FILES.map((path) => import(pathToFileURL(join(checkout, path)).href) as Promise<object>),
  );
  return Object.assign({}, ...found) as Modules; // of this checkout's types, or it fails by name
}

/** A checkout's version of a row, compiled and warm. */
interface Racer {
  readonly times: number[];
  readonly once: () => Promise<void>;
  readonly close: () => void;
}

/** A checkout's version of a row in an engine of its own, timed by GPU timestamps where there are. */
async function racer(modules: Modules, row: Row, adapter?: string): Promise<Racer> {
  const { createEngine, QueueTimer, sample, repeatsFor } = modules;
  const engine = await createEngine(adapter ? { adapter } : {});
  const timer = hasTimestamps(engine) ? new QueueTimer(engine) : null;
  const { run, afterFirst } = await row.prepare(engine);
  await run(); // compiles
  await afterFirst?.(); // a row that knows its result holds it against that
  const { wall } = await sample(engine, run, { repeats: 1, timer: null });
  const repeats = repeatsFor(wall);
  const times: number[] = [];
  return {
    times,
    async once() {
      const taken = await sample(engine, run, { repeats, timer });
      times.push(timer ? taken.gpu : taken.wall);
    },
    close() {
      timer?.destroy();
      engine.destroy();
    },
  };
}

/** The table's line of a row: both medians, and base over head round by round. */
async function race(
  sides: readonly [Modules, Modules],
  rows: readonly [Row, Row],
  { rounds, budget, adapter }: Options,
): Promise<string[]> {
  const base = await racer(sides[0], rows[0], adapter);
  const head = await racer(sides[1], rows[1], adapter);
  const start = performance.now();
  const effort = { least: LEAST_ROUNDS, most: rounds, budgetMs: 1000 * budget };
  for (let round = 0; another(round, performance.now() - start, effort); round++)
    for (const side of turns([base, head], round)) await side.once();
  base.close();
  head.close();
  const time = (of: readonly number[]): string => {
    const { median, mad } = sides[1].summarise(of);
    return `${median.toPrecision(3)} ± ${mad.toPrecision(2)} ms`;
  };
  const ratio = ratioOf(base.times, head.times);
  const range = ratio ? `${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)}` : "";
  return [keyOf(rows[1]), time(base.times), time(head.times), ratioText(ratio), range];
}

async function main(folder: string, options: Options): Promise<void> {
  process.env["MESA_SHADER_CACHE_DISABLE"] = "true"; // nobody's kernels are found on disk
  const sides = [await modulesOf(resolve(folder)), await modulesOf(HEAD)] as const;
  const probe = await sides[1].createEngine(options.adapter ? { adapter: options.adapter } : {});
  const { caps }: { caps: Caps } = probe;
  console.log(`adapter: ${probe.adapter.description}`);
  probe.destroy();
  const [older, newer] = sides.map(({ benchRows }) => benchRows(caps));
  const lines: string[][] = [];
  for (const row of chooseRows(newer ?? [], options.only)) {
    const same = older?.find((one) => keyOf(one) === keyOf(row));
    if (same) lines.push(await race(sides, [same, row], options));
    else lines.push([keyOf(row), "–", "–", "–", "only in this checkout"]);
    console.log(lines.at(-1)?.join("  "));
  }
  console.log(`\n${textTable(["row", "base", "head", "base / head", "range"], lines)}`);
}

const ending = await new Command("bench:race")
  .exitOverride()
  .description("time rows of another checkout and of this one in turns in one process")
  .argument("<base>", "the other checkout's folder, with its packages installed")
  .requiredOption("--only <patterns>", "rows, as npm run bench takes them")
  .option("--rounds <n>", "most turns of each checkout", positive, 40)
  .option("--budget <seconds>", "time of a row after which no turn starts", positive, 20)
  .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader")
  .action(main)
  .parseAsync()
  .then(() => ({ code: 0, message: "" }), endingOf);
if (ending.message !== "") console.error(ending.message);
process.exit(ending.code); // Dawn's threads would delay a natural end
