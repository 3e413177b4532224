/** Score histograms and ROC curves as figures; the counting is scoreCounts.ts's. */
import * as Plot from "@observablehq/plot";
import { at } from "../util/shape.ts";
import type { Distribution, Distributions } from "./scoreCounts.ts";
import { count, methodTitle } from "./format.ts";
import type { Markup } from "./html.ts";
import { seriesColour } from "./palette.ts";
import { drawFigure, lineChart, type Series } from "./plot.ts";

const sum = (counts: readonly number[]): number => counts.reduce((total, hits) => total + hits, 0);

/** Counts as a density of unit area. */
export function density(
  counts: readonly number[],
  { low, high }: Pick<Distribution, "low" | "high">,
): number[] {
  const width = (high - low) / counts.length || 1;
  const samples = sum(counts);
  return counts.map((hits) => hits / (samples * width || 1));
}

function area(
  counts: readonly number[],
  { low, high }: Distribution,
  colour: string,
): Plot.Markish {
  const heights = density(counts, { low, high });
  const width = (high - low) / counts.length || 1;
  // One edge more than bins: the last height goes on to the end.
  const steps = Array.from({ length: counts.length + 1 }, (_, index) => ({
    x: low + index * width,
    y: heights[index] ?? at(heights, -1),
  }));
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
  { method, set, distribution }: { method: string; set: string; distribution: Distribution },
): Markup {
  const { id, ood } = distribution;
  const [blue, red] = [seriesColour(0), seriesColour(1)];
  const title = `${methodTitle(method)} value: ID and ${set}`;
  const caption = `Densities in ${id.length} bins; ${count(sum(id))} ID and ${count(sum(ood))} OOD samples.`;
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
      marks: [area(id, distribution, blue), area(ood, distribution, red), Plot.ruleY([0])],
    },
  );
}

/** Every method's ROC on one OOD set; NECO drawn thicker. */
export function rocFigure(
  document: Document,
  distributions: Distributions,
  set: string,
): Markup | null {
  const series = Object.entries(distributions).flatMap(([method, sets]): Series[] => {
    const roc = sets[set]?.roc;
    if (roc === undefined) return [];
    const width = method === "neco" ? 2.75 : 1.5;
    return [{ name: methodTitle(method), x: roc.ood_kept, y: roc.id_kept, width }];
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
