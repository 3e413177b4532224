/** The workloads: a chart each, what a call costs, and what each thing that programs do brings. */
import type { Markup } from "../../src/report/html.ts";
import { html } from "../../src/report/html.ts";
import { grid } from "../../src/report/frame.ts";
import { gainsOf, turnRatio } from "../gains.ts";
import type { PeersReport, PeerWork } from "../peers/report.ts";
import type { Bare } from "../bare.ts";
import { GAIN_HEAD, gainCells } from "../print-compare.ts";
import { ratioText } from "../ratios.ts";
import type { BenchReport } from "../report.ts";
import { groupsOf } from "../rows/row.ts";
import type { Measured } from "../run.ts";
import type { Turns } from "../turns.ts";
import { barChart } from "./bars.ts";
import type { Bar } from "./bars.ts";
import { figure, table, withSpread } from "./figures.ts";
import { peerBars } from "./peers.ts";

const ownBar = (row: Measured): Bar => ({
  name: row.variant,
  kind: row.picked === false ? "variant" : "picked",
  ms: row.median,
  mad: row.mad,
  least: row.bound === null ? null : row.fraction_of_peak * row.median,
});

const CLOCKS = { gpu: "GPU timestamps", wall: "the host's clock" } as const;

function chart(document: Document, rows: readonly Measured[], work: PeerWork | undefined): Markup {
  const [first] = rows;
  const { name = "", shape = "", timer = "wall" } = first ?? {};
  const others = work ? peerBars(work).filter(({ kind }) => kind === "peer") : [];
  const beside =
    others.length > 0
      ? " Other engines: wall times of another run; its own ratios stand below."
      : "";
  return barChart(document, {
    title: name,
    caption: `${shape}, warm, by ${CLOCKS[timer]}: median and median absolute deviation.${beside}`,
    bars: [...rows.map(ownBar), ...others],
  });
}

const mega = (bytes: number): string => `${figure(bytes / 1e6)} MB`;

const costTable = (rows: readonly Measured[]): Markup =>
  table(
    "What a call costs",
    [
      "workload",
      "mode",
      "cold ms",
      "warm ms",
      "host ms",
      "dispatches",
      "submits",
      "new buffers",
      "buffers at most",
      "pipelines",
    ],
    rows.map((row) => [
      row.name,
      row.variant,
      figure(row.cold_ms),
      withSpread(row.median, row.mad),
      figure(row.host_us / 1000),
      String(row.dispatches),
      String(row.submits),
      `${row.calls.buffers} (${mega(row.calls.bufferBytes)})`,
      mega(row.peak_bytes),
      String(row.pipelines),
    ]),
  );

/** Tables of what fusion, memory plan and replay bring. */
function gainTables({ rows, turns = [] }: BenchReport): Markup | null {
  const all = gainsOf(rows, turns);
  if (all.length === 0) return null;
  return html`<h3>What fusion, the memory plan and replay bring</h3>
    <p>
      Counts are of one warm call without and with each thing. Times are ratios of calls in turns,
      round by round in one process${turns.length === 0 ? "; they need --turns" : ""}.
    </p>
    ${all.map(({ name, shape, gains }) => table(`${name} ${shape}`, GAIN_HEAD, gains.map(gainCells)))}`;
}

/** The section's body; null where no workload was measured. */
export function workloadsBody(
  document: Document,
  report: BenchReport,
  peers: PeersReport | null,
): Markup | null {
  const rows = report.rows.filter(({ kind }) => kind === "workload");
  if (rows.length === 0) return null;
  const charts = [...groupsOf(rows).values()].map((group) =>
    chart(
      document,
      group,
      peers?.works.find(({ work }) => work === group[0]?.name),
    ),
  );
  return html`${grid(charts)}${costTable(rows)}${gainTables(report)}`;
}

function turnRows(turns: Turns): string[][] {
  const [first = "", ...others] = Object.keys(turns.rounds);
  return others.map((variant) => [
    turns.name,
    turns.shape,
    variant,
    first,
    ratioText(turnRatio(turns, variant, first)),
    String(turns.rounds[first]?.length ?? 0),
  ]);
}

/** Replayed workloads beside bare loops; null where none were timed. */
function bareTable(rows: readonly Bare[]): Markup | null {
  if (rows.length === 0) return null;
  return table(
    "Host time of encoding a dispatch, µs: a program's replay, inputs included, beside a bare loop over the same pipelines, bind groups and grids, in turns in one process",
    ["row", "shape", "dispatches", "replayed", "bare", "× as long", "rounds"],
    rows.map(({ name, shape, dispatches, replayed, bare, ratio }) => [
      name,
      shape,
      String(dispatches),
      withSpread(replayed.median, replayed.mad),
      withSpread(bare.median, bare.mad),
      ratioText(ratio),
      String(bare.samples),
    ]),
  );
}

/** Variants in turns, of all rows, and programs beside bare loops; null where none were taken. */
export function turnsBody({ turns = [], bare = [] }: BenchReport): Markup | null {
  if (turns.length + bare.length === 0) return null;
  return html`${turns.length > 0 ? turnsTable(turns) : null}${bareTable(bare)}`;
}

const turnsTable = (turns: readonly Turns[]): Markup =>
  table(
    "Times as long as the first variant (what the engine picks, unless --only left it out), round by round in one process",
    ["row", "shape", "variant", "against", "× as long", "rounds"],
    turns.flatMap(turnRows),
  );
