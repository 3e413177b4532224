/**
 * A ranking as counts per cell, for methods that visit it a thousand times. Up to a limit a cell is a
 * distinct score, and nothing is lost; beyond it neighbouring scores are merged.
 */
import { at } from "../../util/shape.ts";
import { RECALL } from "./fpr.ts";
import type { BothWays } from "./oodMetrics.ts";
import { idFirst } from "./thresholds.ts";
import type { Ranking, Steps } from "./thresholds.ts";

/** Counts per cell, highest score first. */
export interface Cells {
  readonly id: Float64Array;
  readonly ood: Float64Array;
  /** Whether a cell may hold several distinct scores. */
  readonly isMerged: boolean;
}

/** Cells that one ranking may take. */
const MAX_CELLS = 8192;
/** The points at which FPRs are read move by about this many deviations at most. */
const REACH = 6;

/** The cells of a ranking: its distinct scores if they are few, else at most `limit` merged ones. */
export function cellsOf(ranking: Ranking, limit = MAX_CELLS): Cells {
  const steps = idFirst(ranking);
  let distinct = 0;
  steps.each(() => {
    distinct++;
    return distinct <= limit;
  });
  const isMerged = distinct > limit;
  const startsCell = isMerged ? cellStarts(steps, limit / 4) : (): boolean => true;
  const [id, ood] = [new Float64Array(limit), new Float64Array(limit)];
  let cells = 0;
  let before: readonly [number, number] = [0, 0];
  steps.each((ids, oods) => {
    if (startsCell(...before)) cells++;
    const cell = cells - 1;
    id[cell] = at(id, cell) + ids - before[0];
    ood[cell] = at(ood, cell) + oods - before[1];
    before = [ids, oods];
    return true;
  });
  return { id: id.slice(0, cells), ood: ood.slice(0, cells), isMerged };
}

/**
 * Tells from the counts before a score whether it starts a cell: wherever one of three staircases
 * climbs, of `steps` steps each. One has equal steps over all samples; the others are fine where the
 * two FPRs are read, since they depend on single samples there.
 */
function cellStarts(
  { positives, negatives }: Steps,
  stairs: number,
): (ids: number, oods: number) => boolean {
  const coarse = (positives + negatives) / stairs;
  const nearId = staircase(positives, RECALL, stairs);
  const nearOod = staircase(negatives, 1 - RECALL, stairs);
  let last = [-1, -1, -1];
  return (ids, oods) => {
    const place = [Math.floor((ids + oods) / coarse), nearId(ids), nearOod(oods)];
    const isNew = place.some((stair, index) => stair !== last[index]);
    last = place;
    return isNew;
  };
}

/** Climbs by up to `stairs` around the sample at a share of the ranking, and is flat elsewhere. */
function staircase(samples: number, share: number, stairs: number): (count: number) => number {
  const reach = REACH * Math.sqrt(samples * share * (1 - share)) + 1;
  const width = Math.max(1, (2 * reach) / (stairs - 1));
  const first = share * samples - reach;
  return (count) => Math.min(stairs - 1, Math.max(0, Math.ceil((count - first) / width)));
}

/** The thresholds of counts per cell, from both ends; cells without samples are no thresholds. */
export function cellSteps({ id, ood }: Pick<Cells, "id" | "ood">): BothWays {
  const [ids, oods] = [sum(id), sum(ood)];
  return {
    idFirst: { positives: ids, negatives: oods, each: eachCell(id, ood) },
    oodFirst: { positives: oods, negatives: ids, each: eachCell(ood, id, { fromEnd: true }) },
  };
}

function eachCell(
  positive: Float64Array,
  negative: Float64Array,
  { fromEnd = false } = {},
): Steps["each"] {
  const last = positive.length - 1;
  return (visit) => {
    let positives = 0;
    let negatives = 0;
    for (let step = 0; step <= last; step++) {
      const cell = fromEnd ? last - step : step;
      const [more, others] = [at(positive, cell), at(negative, cell)];
      positives += more;
      negatives += others;
      if (more + others > 0 && !visit(positives, negatives)) return;
    }
  };
}

const sum = (counts: Float64Array): number => counts.reduce((total, count) => total + count, 0);
