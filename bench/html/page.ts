/** The bench's pages: a run with its comparison and peers, and a run of the peers alone. */
import { adapterNote, factTable } from "../../src/report/facts.ts";
import { isSoftware } from "../../src/report/format.ts";
import { renderFrame } from "../../src/report/frame.ts";
import type { Section } from "../../src/report/frame.ts";
import { html } from "../../src/report/html.ts";
import type { Markup } from "../../src/report/html.ts";
import type { Comparison } from "../compare.ts";
import type { PeersReport } from "../peers/report.ts";
import { commitText, cpuText } from "../origin.ts";
import type { Peaks } from "../probes.ts";
import type { BenchReport } from "../report.ts";
import { comparisonBody } from "./comparison.ts";
import { card, change, figure, peaksTable } from "./figures.ts";
import { peersBody } from "./peers.ts";
import { rooflineFigure } from "./roofline.ts";
import { profilesBody, rowsTable } from "./rows.ts";
import { turnsBody, workloadsBody } from "./workloads.ts";

type Run = Pick<BenchReport, "adapter" | "commit" | "cpu" | "node" | "date" | "command">;

const present = (
  sections: readonly (Omit<Section, "body"> & { body: Markup | null })[],
): Section[] => sections.flatMap(({ body, ...section }) => (body ? [{ ...section, body }] : []));

const titleOf = (what: string, { adapter }: Run): string =>
  isSoftware(adapter.kind)
    ? `${what} on a software adapter, ${adapter.kind}: not GPU speeds`
    : `${what} on ${adapter.description}`;

const madeBy = ({ command, date }: Run): string => `${command}, ${date}`;

function peakCards(before: Peaks, after: Peaks | null): Markup[] {
  const drift = (read: (peaks: Peaks) => number): string =>
    after ? `, ${change(read(before), read(after))} at the end` : "";
  return [
    card(`FMA peak${drift(({ fma }) => fma.rate)}`, `${figure(before.fma.rate)} GFLOP/s`),
    card(`copy peak${drift(({ copy }) => copy.rate)}`, `${figure(before.copy.rate)} GB/s`),
  ];
}

function settingSection(run: Run, peaks: Markup): Section {
  const { adapter, node, date, command } = run;
  const facts: [string, string][] = [
    ["adapter", `${adapter.description} (${adapter.kind})`],
    ["vendor, architecture", `${adapter.vendor}, ${adapter.architecture}`],
    ["features", adapter.features.join(", ")],
    ["CPU", cpuText(run)],
    ["commit", commitText(run)],
    ["Node", node],
    ["date", date],
    ["command", command],
  ];
  return {
    id: "setting",
    title: "Setting and peaks",
    body: html`${factTable("What it ran on", facts)}${peaks}`,
  };
}

/** What a page of the bench shows. */
export interface BenchPage {
  readonly report: BenchReport;
  readonly comparison: Comparison | null;
  readonly peers: PeersReport | null;
}

/** A run as one self-contained page; the document is where Plot makes its elements. */
export function renderBench({ report, comparison, peers }: BenchPage, document: Document): string {
  const { peaks, peaks_after: after, rows } = report;
  const drawn = new Set(
    rows.filter(({ kind }) => kind === "workload").map(({ name }) => name), // these have charts
  );
  const sections = present([
    {
      id: "comparison",
      title: "Against an older run",
      body: comparison ? comparisonBody(comparison) : null,
    },
    { id: "roofline", title: "Roofline", body: rooflineFigure(document, report) },
    { id: "workloads", title: "Workloads", body: workloadsBody(document, report, peers) },
    {
      id: "peers",
      title: "Beside other engines",
      body: peers ? peersBody(document, peers, drawn) : null,
    },
    { id: "turns", title: "Variants in turns", body: turnsBody(report) },
    { id: "rows", title: "All rows", body: rowsTable(rows) },
    { id: "passes", title: "Where the time goes", body: profilesBody(rows) },
  ]);
  return renderFrame({
    title: titleOf("neco-webgpu bench", report),
    made: madeBy(report),
    lead: html`<div class="cards">
        ${peakCards(peaks, after)}${card("rows", String(rows.length))}
      </div>
      ${adapterNote(report)}`,
    sections: [...sections, settingSection(report, peaksTable(peaks, after))],
  });
}

/** A run of the peers' bench as one self-contained page. */
export function renderPeers(report: PeersReport, document: Document): string {
  const { before, after } = report.peaks;
  return renderFrame({
    title: titleOf("neco-webgpu beside other engines", report),
    made: madeBy(report),
    lead: html`<div class="cards">${peakCards(before, after)}</div>
      ${adapterNote(report)}`,
    sections: [
      { id: "works", title: "The same work on every engine", body: peersBody(document, report) },
      settingSection(report, peaksTable(before, after)),
    ],
  });
}
