/** The bench's results as files hold them, and the check of a file that is read again. */
import type { AdapterSummary } from "../src/engine/index.ts";
import { isRecord } from "../src/io/json.ts";
import { FormatError } from "../src/util/errors.ts";
import type { Origin } from "./origin.ts";
import type { Bare } from "./bare.ts";
import type { Peaks } from "./probes.ts";
import type { Measured } from "./run.ts";
import type { Turns } from "./turns.ts";

/** The schema of a run's file. */
export const BENCH_SCHEMA = "neco-webgpu/bench@1";

/** What `--json` writes. */
export interface BenchReport extends Origin {
  readonly schema: typeof BENCH_SCHEMA;
  readonly adapter: AdapterSummary;
  readonly node: string;
  readonly date: string;
  readonly command: string;
  /** Measured before the rows, and what they are held against. */
  readonly peaks: Peaks;
  /** Measured after them; null in a run that was cut short. */
  readonly peaks_after: Peaks | null;
  readonly rows: readonly Measured[];
  /** Variants of a row timed in turns, with `--turns`. */
  readonly turns?: readonly Turns[];
  /** Replayed workloads beside bare loops, with `--turns`; absent in older files. */
  readonly bare?: readonly Bare[];
}

/** What a field of a record has to be. */
type Wanted = "string" | "number" | "object" | "array";

const typeOf = (value: unknown): string => (Array.isArray(value) ? "array" : typeof value);

const ARTICLES: Readonly<Record<Wanted, string>> = {
  string: "text",
  number: "number",
  object: "record",
  array: "list",
};

/** The first field that is not what it has to be: "has no number median"; null if all are. */
export function flawIn(value: unknown, fields: Readonly<Record<string, Wanted>>): string | null {
  if (!isRecord(value)) return "is no record";
  const bad = Object.entries(fields).find(
    ([name, wanted]) => typeOf(value[name]) !== wanted || value[name] === null,
  );
  return bad ? `has no ${ARTICLES[bad[1]]} ${bad[0]}` : null;
}

/**
 * JSON of a schema of ours.
 * @throws FormatError if it is no JSON, or says another schema.
 */
export function jsonOf(file: string, text: string, schema: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(file, `is no JSON; give a file of schema ${schema}`, { cause });
  }
  const found = isRecord(value) ? value["schema"] : undefined;
  if (found !== schema)
    throw new FormatError(
      file,
      `says ${typeof found === "string" ? `schema ${found}` : "no schema"}, not ${schema}`,
    );
  return value;
}

const REPORT_FIELDS = {
  adapter: "object",
  node: "string",
  date: "string",
  command: "string",
  peaks: "object",
  rows: "array",
} as const;
const ADAPTER_FIELDS = { description: "string", kind: "string", features: "array" } as const;
const PEAKS_FIELDS = { fma: "object", copy: "object", copies: "array" } as const;
const PEAK_FIELDS = { rate: "number", variant: "string" } as const;
const ROW_FIELDS = {
  name: "string",
  shape: "string",
  variant: "string",
  kind: "string",
  timer: "string",
  calls: "object",
  facts: "object",
  ...Object.fromEntries(
    ["median", "mad", "wall_ms", "wall_mad", "cold_ms", "host_us", "flops", "bytes", "gflops"]
      .concat(["gbs", "fraction_of_peak", "dispatches", "submits", "peak_bytes", "pipelines"])
      .concat("samples")
      .map((name) => [name, "number" as const]),
  ),
} as const;

/** What is wrong with an adapter's peaks, or null. */
export function flawInPeaks(peaks: unknown): string | null {
  const flaw = flawIn(peaks, PEAKS_FIELDS);
  if (flaw !== null || !isRecord(peaks)) return flaw;
  return flawIn(peaks["fma"], PEAK_FIELDS) ?? flawIn(peaks["copy"], PEAK_FIELDS);
}

/** What is wrong with the origin that a file states, or null; older files state none. */
export function flawInOrigin({ commit, cpu }: Readonly<Record<string, unknown>>): string | null {
  if (commit !== undefined && typeof commit !== "string") return "has no text commit";
  const flaw = cpu === undefined ? null : flawIn(cpu, { model: "string", count: "number" });
  return flaw === null ? null : `cpu ${flaw}`;
}

function flawOf(report: Readonly<Record<string, unknown>>): string | null {
  const flaw = flawIn(report, REPORT_FIELDS);
  if (flaw !== null) return flaw;
  const adapter = flawIn(report["adapter"], ADAPTER_FIELDS);
  if (adapter !== null) return `adapter ${adapter}`;
  const origin = flawInOrigin(report);
  if (origin !== null) return origin;
  for (const name of ["peaks", "peaks_after"]) {
    const bad = name === "peaks" || report[name] ? flawInPeaks(report[name]) : null;
    if (bad !== null) return `${name} ${bad}`;
  }
  const rows: readonly unknown[] = Array.isArray(report["rows"]) ? report["rows"] : [];
  const flaws = rows.map((row) => flawIn(row, ROW_FIELDS));
  const first = flaws.findIndex((found) => found !== null);
  return first < 0 ? null : `row ${first + 1} ${flaws[first] ?? ""}`;
}

function assertReport(file: string, value: unknown): asserts value is BenchReport {
  const flaw = isRecord(value) ? flawOf(value) : "is no record";
  if (flaw !== null) throw new FormatError(file, `${flaw}: measure again with this version`);
}

/**
 * The figures that a file of `--json` holds.
 * @throws FormatError that says what is wrong with it.
 */
export function reportIn(file: string, text: string): BenchReport {
  const value = jsonOf(file, text, BENCH_SCHEMA);
  assertReport(file, value);
  return value;
}
