/** A run's works at a glance: our times with and without transfers, our rates, and how they end. */
import type { Entrant } from "./roster.ts";
import { PEER_RATE, rateCells, spreadOf, verdict } from "./report.ts";
import type { PeerRow, PeersReport, PeerWork } from "./report.ts";

/** Whether a row is of our engine. */
export const isOurs = ({ engine }: Pick<PeerRow, "engine">): boolean => engine.startsWith("neco");

const rowOf = ({ engines }: PeerWork, wanted: Entrant["against"]): PeerRow | undefined =>
  engines.find(({ engine }) => engine === wanted);

/** Heads of {@link ownCells}. */
export const OWN_HEAD = ["work", "ours, ms", "with transfers, ms", ...PEER_RATE] as const;

/** What ours took on a work: on the device, and with inputs from the host and outputs back. */
export function ownCells(work: PeerWork, fma: number): string[] {
  const own = rowOf(work, "neco")?.warm ?? null;
  const withTransfers = rowOf(work, "neco+io")?.warm ?? null;
  return [work.title, spreadOf(own), spreadOf(withTransfers), ...rateCells(work, own, fma)];
}

/** All works by {@link ownCells}, the head first. */
export const ownTable = ({ works, peaks }: PeersReport): string[][] => [
  [...OWN_HEAD],
  ...works.map((work) => ownCells(work, peaks.before.fma.rate)),
];

/** Where ours is wrong, broke off or is not there at all, a line each; what others do is their affair. */
export const ownFaults = ({ works, missing }: Pick<PeersReport, "works" | "missing">): string[] => [
  ...missing.filter(isOurs).map(({ engine, why }) => `${engine}: MISSING, ${why}`),
  ...works.flatMap(({ work, engines }) =>
    engines
      .filter((row) => isOurs(row) && (row.agrees === false || row.failure !== null))
      .map((row) => `${row.engine} on ${work}: ${verdict(row)}`),
  ),
];
