/** How far confidence can be trusted on ID data: risk against coverage, and the reliability diagram. */
import * as Plot from "@observablehq/plot";
import { figure, methodTitle, percent } from "./format.ts";
import { html, type Markup } from "./html.ts";
import type { IdResult, OodGroup, OodJson } from "./input.ts";
import { seriesColour } from "./palette.ts";
import { drawFigure, lineChart } from "./plot.ts";

/** Every method's risk against coverage on the ID test set; NECO drawn thicker. */
export function riskFigure(document: Document, { id }: OodJson): Markup | null {
  const curves = id.risk_coverage ?? null;
  if (curves === null || Object.keys(curves.risk).length === 0) return null;
  return lineChart(document, {
    title: "Risk against coverage, ID test",
    caption:
      "Share of errors among the samples that are answered, as the score threshold falls and more are. At coverage 1 it is the classifier's error.",
    xLabel: "coverage (share answered)",
    yLabel: "risk (%)",
    xDomain: [0, 1],
    series: Object.entries(curves.risk).map(([method, risk]) => ({
      name: methodTitle(method),
      x: curves.coverage,
      y: risk.map((share) => 100 * share),
      width: method === "neco" ? 2.75 : 1.5,
    })),
  });
}

/** Accuracy against stated probability in bins of equal width, with the diagonal of perfect calibration. */
export function reliabilityFigure(document: Document, { id }: OodJson): Markup | null {
  const bins = id.reliability ?? null;
  if (bins === null) return null;
  const [blue, red] = [seriesColour(0), seriesColour(1)];
  const caption = `Accuracy on ID test in ${bins.length} bins of the largest probability, a dot at each bin's mean probability; below the diagonal the classifier is over-confident. Expected calibration error: ${percent(id.ece)} % (bins of equal width), ${percent(id.ece_adaptive)} % (of equal mass).`;
  return drawFigure(
    document,
    {
      title: "Reliability diagram",
      caption,
      legend: [
        { name: "accuracy", colour: blue },
        { name: "mean probability", colour: red, dot: true },
      ],
    },
    {
      width: 460,
      height: 290,
      marginLeft: 52,
      x: { label: "largest probability", domain: [0, 1] },
      y: { label: "accuracy", domain: [0, 1], grid: true },
      marks: reliabilityMarks(bins),
    },
  );
}

function reliabilityMarks(bins: NonNullable<IdResult["reliability"]>): Plot.Markish[] {
  const [blue, red] = [seriesColour(0), seriesColour(1)];
  const filled = bins.flatMap(({ confidence, accuracy }, index) =>
    confidence === null || accuracy === null
      ? []
      : [{ x1: index / bins.length, x2: (index + 1) / bins.length, confidence, accuracy }],
  );
  const bars = { x1: "x1", x2: "x2", y: "accuracy", fill: blue, fillOpacity: 0.55, stroke: blue };
  const diagonal = [
    [0, 0],
    [1, 1],
  ] as const;
  return [
    Plot.rectY(filled, bars),
    Plot.line(diagonal, { stroke: "currentColor", strokeDasharray: "4 3" }),
    Plot.dot(filled, { x: "confidence", y: "accuracy", r: 2.5, fill: red }),
    Plot.ruleY([0]),
  ];
}

/** AURC and its excess: on ID test alone, and with each OOD set but controls counted as errors. */
export function selectiveTable(
  { results }: OodJson,
  groups: Readonly<Record<string, OodGroup>>,
): Markup | null {
  const rows = Object.entries(results).filter(([, { selective }]) => selective !== undefined);
  if (rows.length === 0) return null;
  const named = new Set(rows.flatMap(([, result]) => Object.keys(result.sets)));
  const sets = [...named].filter((set) => groups[set] !== "control");
  const milli = (area: number | undefined): string =>
    area === undefined ? "–" : figure(1000 * area);
  return html`<div class="wide">
    <table>
      <caption>
        AURC × 1000, the mean risk over all coverages (lower is better), and in brackets its excess
        over a perfect order. With an OOD set, every sample of it that is answered is an error.
      </caption>
      <thead>
        <tr>
          ${["method", "ID test", ...sets.map((set) => `with ${set}`)].map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([method, result]) =>
            html`<tr>
              <th scope="row">${methodTitle(method)}</th>
              ${[result.selective, ...sets.map((set) => result.sets[set]?.selective)].map((risk) => html`<td>${milli(risk?.aurc)} (${milli(risk?.eaurc)})</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}
