/** Reads a run of the peers' bench again. */
import { isRecord } from "../../src/io/json.ts";
import { FormatError } from "../../src/util/errors.ts";
import { flawIn, flawInOrigin, flawInPeaks, jsonOf } from "../report.ts";
import { PEERS_SCHEMA } from "./report.ts";
import type { PeersReport } from "./report.ts";

const REPORT_FIELDS = {
  adapter: "object",
  node: "string",
  date: "string",
  command: "string",
  peaks: "object",
  missing: "array",
  works: "array",
} as const;
const WORK_FIELDS = {
  work: "string",
  title: "string",
  flops: "number",
  bytes: "number",
  engines: "array",
} as const;
const ROW_FIELDS = { engine: "string", against: "string", rounds: "array" } as const;

function flawOf(value: unknown): string | null {
  const flaw = flawIn(value, REPORT_FIELDS);
  if (flaw !== null || !isRecord(value)) return flaw ?? "is no record";
  const origin = flawInOrigin(value);
  if (origin !== null) return origin;
  const peaks = isRecord(value["peaks"]) ? flawInPeaks(value["peaks"]["before"]) : null;
  if (peaks !== null) return `peaks ${peaks}`;
  const works: readonly unknown[] = Array.isArray(value["works"]) ? value["works"] : [];
  const flaws = works.map((work) => {
    const bad = flawIn(work, WORK_FIELDS);
    if (bad !== null || !isRecord(work) || !Array.isArray(work["engines"])) return bad;
    return work["engines"].map((row) => flawIn(row, ROW_FIELDS)).find(Boolean) ?? null;
  });
  const first = flaws.findIndex((found) => found !== null);
  return first < 0 ? null : `work ${first + 1} ${flaws[first] ?? ""}`;
}

function assertPeers(file: string, value: unknown): asserts value is PeersReport {
  const flaw = flawOf(value);
  if (flaw !== null) throw new FormatError(file, `${flaw}: measure again with this version`);
}

/**
 * The figures that a file of `bench:peers --json` holds.
 * @throws FormatError that says what is wrong with it.
 */
export function peersIn(file: string, text: string): PeersReport {
  const value = jsonOf(file, text, PEERS_SCHEMA);
  assertPeers(file, value);
  return value;
}
