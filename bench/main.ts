/** `npm run bench`: kernel throughput against the adapter's peaks, measured in the same process. */
import { Command } from "commander";
import { writeFileSync } from "node:fs";
import { createEngine } from "../src/engine/index.ts";
import type { Engine, PassTime } from "../src/engine/index.ts";
import { time } from "./measure.ts";
import type { Budget } from "./measure.ts";
import { measurePeaks } from "./probes.ts";
import type { Peaks } from "./probes.ts";
import { opRows, workloadRows } from "./rows.ts";
import type { Row } from "./rows.ts";

/** A measured row, as the JSON holds it. Times in ms. */
interface Measured {
  readonly name: string;
  readonly shape: string;
  readonly dtype: "f32";
  readonly variant: string;
  /** Same as `median`, under the contract's name. */
  readonly ms: number;
  readonly median: number;
  readonly mad: number;
  readonly best: number;
  readonly samples: number;
  readonly gflops: number;
  readonly gbs: number;
  /** Of the FMA peak or of the copy peak, whichever is nearer. */
  readonly fraction_of_peak: number;
  readonly dispatches: number;
  readonly timer: "wall";
  readonly [extra: string]: unknown;
}

/** Passes of one kind together, the longest first. */
function printProfile(passes: readonly PassTime[]): void {
  const kinds = new Map<string, { us: number; count: number; flops: number; bytes: number }>();
  for (const { label, microseconds, flops, bytes } of passes) {
    const kind = kinds.get(label) ?? { us: 0, count: 0, flops: 0, bytes: 0 };
    kind.us += microseconds;
    kind.count++;
    kind.flops += flops;
    kind.bytes += bytes;
    kinds.set(label, kind);
  }
  const total = passes.reduce((sum, { microseconds }) => sum + microseconds, 0);
  for (const [label, { us, count, flops, bytes }] of [...kinds].sort(([, a], [, b]) => b.us - a.us))
    console.log(
      `${(us / 1000).toFixed(2).padStart(9)} ms ${((100 * us) / total).toFixed(1).padStart(5)} % ${String(count).padStart(4)} × ${label.padEnd(56)} ${(flops / us / 1000).toFixed(2).padStart(7)} GFLOP/s ${(bytes / us / 1000).toFixed(2).padStart(6)} GB/s`,
    );
}

async function measure(
  engine: Engine,
  row: Row,
  { peaks, budget, options }: { peaks: Peaks; budget: Budget; options: Options },
): Promise<Measured> {
  return engine.scope(async () => {
    const prepared = await row.prepare(engine);
    if (options.profile) printProfile((await prepared.profile?.()) ?? []);
    const timing = await time(engine, () => prepared.run(), budget);
    const gflops = prepared.flops / (timing.median * 1e6);
    const gbs = prepared.bytes / (timing.median * 1e6);
    const { name, shape, variant } = row;
    return {
      name,
      shape,
      dtype: "f32",
      variant,
      ms: timing.median,
      ...timing,
      gflops,
      gbs,
      fraction_of_peak: Math.max(gflops / peaks.fma.rate, gbs / peaks.copy.rate),
      dispatches: prepared.dispatches,
      timer: "wall",
      ...(await prepared.extra?.()),
    };
  });
}

function line(row: Measured): string {
  const label = `${row.name} ${row.shape}`.padEnd(52).slice(0, 52);
  const ms = `${row.median.toFixed(3)} ± ${row.mad.toFixed(3)} ms`.padStart(22);
  const flops = row.gflops > 0 ? `${row.gflops.toFixed(2)} GFLOP/s` : "";
  const bytes = row.gbs > 0 ? `${row.gbs.toFixed(2)} GB/s` : "";
  const peak = row.gflops + row.gbs > 0 ? `${(100 * row.fraction_of_peak).toFixed(0)} %` : "";
  return `${label} ${row.variant.padEnd(16)}${ms}${flops.padStart(16)}${bytes.padStart(12)}${peak.padStart(7)}`;
}

interface Options {
  readonly only?: string;
  readonly json?: string;
  readonly adapter?: string;
  readonly samples: string;
  readonly budget: string;
  readonly profile?: boolean;
}

async function main(options: Options): Promise<void> {
  const engine = await createEngine(options.adapter ? { adapter: options.adapter } : {});
  const { description, kind } = engine.adapter;
  console.log(
    `adapter: ${description}${kind === "gpu" ? "" : " (software: these are not GPU speeds)"}`,
  );
  const peaks = await measurePeaks(engine);
  console.log(
    `peaks: FMA ${peaks.fma.rate.toFixed(1)} GFLOP/s (${peaks.fma.variant}), copy ${peaks.copy.rate.toFixed(1)} GB/s (${peaks.copy.variant})\n`,
  );
  const wanted = options.only ? new RegExp(options.only) : /./;
  const rows = [...workloadRows, ...opRows(engine)].filter(
    ({ name, shape, variant }) => wanted.test(name) || wanted.test(`${name} ${shape} ${variant}`),
  );
  if (rows.length === 0) throw new RangeError(`--only ${options.only ?? ""} matches no row`);
  const budget = { samples: Number(options.samples), budgetMs: 1000 * Number(options.budget) };
  const measured: Measured[] = [];
  for (const row of rows) {
    const result = await measure(engine, row, { peaks, budget, options });
    measured.push(result);
    console.log(line(result));
  }
  if (options.json) {
    const report = {
      schema: "neco-webgpu/bench@1",
      adapter: engine.adapter,
      node: process.version,
      peaks,
      rows: measured,
    };
    writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  }
  engine.destroy();
}

await new Command("bench")
  .description("kernel throughput on this adapter, against its own measured peaks")
  .option("--only <pattern>", "rows whose name (or name, shape and variant) match this expression")
  .option("--json <file>", "write the figures there, schema neco-webgpu/bench@1")
  .option("--adapter <name>", "auto, gpu, lavapipe or swiftshader")
  .option("--profile", "time every pass of a program by itself first")
  .option("--samples <n>", "most samples of a row", "20")
  .option("--budget <seconds>", "most time of a row", "10")
  .action(main)
  .parseAsync();
