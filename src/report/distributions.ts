/** Score histograms and ROC curves from the score columns. Pure counting, drawn by plot.ts. */
import * as Plot from "@observablehq/plot";
import { at } from "../util/shape.ts";
import { count, methodTitle } from "./format.ts";
import type { ScoreColumns } from "./input.ts";
import { drawFigure, lineChart, type Series } from "./plot.ts";
import { seriesColour } from "./palette.ts";
import type { Markup } from "./html.ts";

const BINS = 100; // as the figure of the NECO paper
const ROC_POINTS = 160; // enough for a smooth curve of 460 pixels

/** A histogram with unit area: bin edges (one more than bins) and densities. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly density: readonly number[];
}

/** Densities of the scores between low and high; scores outside count into the end bins. */
export function histogram(
  scores: ArrayLike<number>,
  { low, high, bins = BINS }: { low: number; high: number; bins?: number },
): Histogram {
  const width = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const score of Array.from(scores)) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((score - low) / width)));
    counts[bin] = at(counts, bin) + 1;
  }
  return {
    edges: Array.from({ length: bins + 1 }, (_, index) => low + index * width),
    density: counts.map((hits) => hits / (scores.length * width || 1)),
  };
}

/** The operating points of a threshold that falls from +∞: x = share of OOD kept, y = share of ID kept. */
export interface Roc {
  readonly oodKept: readonly number[];
  readonly idKept: readonly number[];
}

/** ROC with tied scores merged, thinned to points that a drawing can show. */
export function rocCurve(id: ArrayLike<number>, ood: ArrayLike<number>, limit = ROC_POINTS): Roc {
  const idScores = Float64Array.from(Array.from(id)).sort().reverse();
  const oodScores = Float64Array.from(Array.from(ood)).sort().reverse();
  const points: [number, number][] = [[0, 0]];
  let idCount = 0;
  let oodCount = 0;
  while (idCount < idScores.length || oodCount < oodScores.length) {
    const threshold = Math.max(idScores[idCount] ?? -Infinity, oodScores[oodCount] ?? -Infinity);
    while (idCount < idScores.length && at(idScores, idCount) >= threshold) idCount++;
    while (oodCount < oodScores.length && at(oodScores, oodCount) >= threshold) oodCount++;
    points.push([oodCount / (oodScores.length || 1), idCount / (idScores.length || 1)]);
    if (Number.isNaN(threshold)) break;
  }
  const kept = thin(points, limit);
  return { oodKept: kept.map(([x]) => x), idKept: kept.map(([, y]) => y) };
}

/** Keeps points that lie at least 2/limit of the curve's length (|dx| + |dy| = 2) apart, and both ends. */
function thin(points: readonly [number, number][], limit: number): [number, number][] {
  const kept: [number, number][] = [];
  for (const [index, point] of points.entries()) {
    const [x, y] = kept[kept.length - 1] ?? [-1, -1];
    const far = point[0] - x + (point[1] - y) >= 2 / limit;
    if (far || index === points.length - 1) kept.push(point);
  }
  return kept;
}

/** Names of the methods that have an ID column, and of the sets that have a column of the method. */
export const methodsOf = (scores: ScoreColumns): string[] =>
  Object.keys(scores)
    .filter((name) => name.endsWith("/id"))
    .map((name) => name.slice(0, -"/id".length));

/** Sets of a method's columns, ID apart. */
export const setsOf = (scores: ScoreColumns, method: string): string[] =>
  Object.keys(scores)
    .filter((name) => name.startsWith(`${method}/`) && name !== `${method}/id`)
    .map((name) => name.slice(method.length + 1));

const quantile = (sorted: Float64Array, share: number): number =>
  at(sorted, Math.round(share * (sorted.length - 1)));

/** The middle 99.8 % of both sets, so that one far score does not flatten the picture. */
function rangeOf(id: ArrayLike<number>, ood: ArrayLike<number>): { low: number; high: number } {
  const all = Float64Array.from([...Array.from(id), ...Array.from(ood)]).sort();
  return { low: quantile(all, 0.001), high: quantile(all, 0.999) };
}

function area({ edges, density }: Histogram, colour: string): Plot.Markish {
  const steps = edges.map((x, index) => ({ x, y: density[index] ?? at(density, -1) }));
  return Plot.areaY(steps, {
    x: "x",
    y: "y",
    curve: "step-after",
    fill: colour,
    fillOpacity: 0.45,
    stroke: colour,
    strokeWidth: 1,
  });
}

/** ID and one OOD set's scores as overlapping densities. */
export function histogramFigure(
  document: Document,
  { scores, method, set }: { scores: ScoreColumns; method: string; set: string },
): Markup | null {
  const id = scores[`${method}/id`];
  const ood = scores[`${method}/${set}`];
  if (id === undefined || ood === undefined || id.length === 0 || ood.length === 0) return null;
  const range = rangeOf(id, ood);
  const [blue, red] = [seriesColour(0), seriesColour(1)];
  const title = `${methodTitle(method)} value: ID and ${set}`;
  const caption = `Densities in ${BINS} bins; ${count(id.length)} ID and ${count(ood.length)} OOD samples.`;
  const legend = [
    { name: "ID test", colour: blue },
    { name: set, colour: red },
  ];
  return drawFigure(
    document,
    { title, caption, legend },
    {
      width: 460,
      height: 260,
      marginLeft: 52,
      x: {
        label: `${methodTitle(method)} value (higher = more in-distribution)`,
        labelAnchor: "center",
      },
      y: {
        label: "Density",
        grid: true,
        tickFormat: (value: number) => String(Number(value.toPrecision(4))),
      },
      marks: [area(histogram(id, range), blue), area(histogram(ood, range), red), Plot.ruleY([0])],
    },
  );
}

/** Every method's ROC on one OOD set; NECO drawn thicker. */
export function rocFigure(document: Document, scores: ScoreColumns, set: string): Markup | null {
  const series = methodsOf(scores).flatMap((method): Series[] => {
    const id = scores[`${method}/id`];
    const ood = scores[`${method}/${set}`];
    if (id === undefined || ood === undefined || id.length === 0 || ood.length === 0) return [];
    const { oodKept, idKept } = rocCurve(id, ood);
    return [
      { name: methodTitle(method), x: oodKept, y: idKept, width: method === "neco" ? 2.75 : 1.5 },
    ];
  });
  if (series.length === 0) return null;
  return lineChart(document, {
    title: `ROC: ID against ${set}`,
    caption: `Share of ID kept against share of ${set} kept, as the threshold falls. At 95 % on the y axis one reads FPR at 95 % ID TPR.`,
    xLabel: "OOD kept",
    yLabel: "ID kept",
    series,
    xDomain: [0, 1],
    yDomain: [0, 1],
  });
}
