/** The figures of the runs as tables. */
import type { Timings } from "../../src/neco/stopwatch.ts";
import { textTable } from "../../src/report/index.ts";
import type { Sizes } from "./features.ts";
import type { Watched } from "./watch.ts";

/** One run of `neco ood`. */
export interface LargeRun extends Watched {
  readonly name: string;
  /** Seconds by phase and method, as `--timings` tells them. */
  readonly timings: Timings;
  /** The most bytes of GPU buffers; on a software adapter they are part of the host's memory. */
  readonly peakBufferBytes: number;
}

/** `npm run bench:large -- --json`. */
export interface LargeReport {
  readonly schema: "neco-webgpu/large@1";
  readonly adapter: string;
  readonly date: string;
  readonly node: string;
  readonly sizes: Sizes;
  readonly runs: readonly LargeRun[];
}

const MEBIBYTE = 1024 ** 2;
const seconds = (value: number | undefined): string =>
  value === undefined ? "" : value.toFixed(1);
const mebibytes = (bytes: number | null): string =>
  bytes === null ? "?" : (bytes / MEBIBYTE).toFixed(0);

/** Phases whose times are of single methods. */
const BY_METHOD = ["solve", "fit", "score"] as const;

function methodTable({ timings }: LargeRun): string {
  const columns = BY_METHOD.map((phase) => timings[phase] ?? {});
  const names = [...new Set(columns.flatMap((column) => Object.keys(column)))];
  const sum = (name: string): number =>
    columns.reduce((total, column) => total + (column[name] ?? 0), 0);
  const rows = names
    .sort((a, b) => sum(b) - sum(a))
    .map((name) => [name, ...columns.map((column) => seconds(column[name])), seconds(sum(name))]);
  return textTable(["method", ...BY_METHOD, "all, s"], rows);
}

/** Tables for people. */
export function largeTables({ runs }: LargeReport): string {
  const totals = runs.map((run) => {
    const phase = (name: string): string =>
      seconds(Object.values(run.timings[name] ?? {}).reduce((total, value) => total + value, 0));
    return [
      run.name,
      seconds(run.seconds),
      seconds(run.cpuSeconds ?? undefined),
      ...["moments", ...BY_METHOD, "measure", "compare sets"].map(phase),
      mebibytes(run.peakBytes),
      mebibytes(run.peakBufferBytes),
    ];
  });
  const head = ["run", "wall, s", "CPU, s", "moments", ...BY_METHOD, "measure", "compare"];
  return [
    textTable([...head, "peak host, MiB", "of it GPU buffers at most"], totals),
    ...runs.map((run) => `${run.name}:\n${methodTable(run)}`),
  ].join("\n\n");
}
