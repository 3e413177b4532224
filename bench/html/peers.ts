/** Other engines beside ours: ratios at a glance, a chart and a table for each work, who is missing. */
import { grid } from "../../src/report/frame.ts";
import { html } from "../../src/report/html.ts";
import type { Markup } from "../../src/report/html.ts";
import { PEER_HEAD, peerCells } from "../peers/report.ts";
import { isOurs, OWN_HEAD, ownCells } from "../peers/summary.ts";
import type { Missing, PeersReport, PeerRow, PeerWork } from "../peers/report.ts";
import { barChart } from "./bars.ts";
import type { Bar } from "./bars.ts";
import { table, withSpread } from "./figures.ts";

/** The engines of a work that were timed, as bars. */
export const peerBars = (work: PeerWork): Bar[] =>
  work.engines.flatMap((row): Bar[] =>
    row.warm
      ? [
          {
            name: row.engine,
            kind: isOurs(row) ? "picked" : "peer",
            ms: row.warm.median,
            mad: row.warm.mad,
            least: null,
            ...(row.agrees === false ? { remark: "wrong result" } : {}),
          },
        ]
      : [],
  );

/** Who is not there, and why. */
export function missingNote(missing: readonly Missing[]): Markup | null {
  if (missing.length === 0) return null;
  return html`<div class="note">
    <strong>Missing on this machine:</strong>
    <ul>
      ${missing.map(({ engine, why }) => html`<li>${engine}: ${why}</li>`)}
    </ul>
  </div>`;
}

/** Times and rates of ours, and ratios of every peer to it, a work a row. */
function ratioTable({ works, peaks }: PeersReport): Markup | null {
  const others = works.flatMap(({ engines }) => engines.filter((row) => !isOurs(row)));
  const engines = new Map(others.map(({ engine, against }) => [engine, against]));
  const cell = (row: PeerRow | undefined): string => {
    if (!row?.ratio) return row?.failure ?? "";
    const ratio = withSpread(row.ratio.median, row.ratio.mad);
    return row.agrees === false ? `${ratio}, wrong result` : ratio;
  };
  const heads = [...engines].map(([name, against]) =>
    against === "neco" ? name : `${name} (beside ours with transfers)`,
  );
  return table(
    "Ours, and how many times as long the others take: medians and median absolute deviations, of ratios over the rounds; above 1 we are faster. Shares are of the FMA peak before this run",
    [...OWN_HEAD, ...heads],
    works.map((work) => [
      ...ownCells(work, peaks.before.fma.rate),
      ...[...engines.keys()].map((name) =>
        cell(work.engines.find(({ engine }) => engine === name)),
      ),
    ]),
  );
}

function charts(document: Document, works: readonly PeerWork[]): Markup | null {
  return grid(
    works.flatMap((work) => {
      const bars = peerBars(work);
      if (bars.length === 0) return [];
      const caption = "Warm wall time, median and median absolute deviation.";
      return [barChart(document, { title: work.title, caption, bars })];
    }),
  );
}

/** The body of a section on a run of the peers' bench; `drawn` works have their charts elsewhere. */
export const peersBody = (
  document: Document,
  report: PeersReport,
  drawn: ReadonlySet<string> = new Set(),
): Markup =>
  html`<p>
      Wall times, transfers included where an engine needs them (its row is then held against
      neco+io); engines take turns, and a ratio pairs times of one round.
    </p>
    ${missingNote(report.missing)} ${ratioTable(report)}
    ${charts(
      document,
      report.works.filter(({ work }) => !drawn.has(work)),
    )}
    ${report.works.map((work) =>
      table(work.title, PEER_HEAD, peerCells(work, report.peaks.before.fma.rate)),
    )}`;
