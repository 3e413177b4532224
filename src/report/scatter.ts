/** The cloud of ID classes with OOD on top: the figure of NECO's README. */
import * as Plot from "@observablehq/plot";
import { at } from "../util/shape.ts";
import { count, percent } from "./format.ts";
import type { Cloud, PcaJson } from "./input.ts";
import type { Markup } from "./html.ts";
import { classColours } from "./palette.ts";
import { drawFigure } from "./plot.ts";

const MAX_NAMED = 30; // classes in the legend; more hide the figure
const OOD_COLOUR = "var(--ood)"; // black on white, white in the dark

interface Point {
  readonly x: number;
  readonly y: number;
}

const pointsOf = ({ x, y }: Cloud): Point[] =>
  Array.from(x, (value, index) => ({ x: value, y: at(y, index) }));

/** Limits from the ID cloud with a margin, as the paper's figure; OOD beyond them is clipped. */
function limits(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const margin = 0.06 * (high - low || 1);
  return [low - margin, high + margin];
}

function inside(
  points: readonly Point[],
  [x0, x1]: [number, number],
  [y0, y1]: [number, number],
): Point[] {
  return points.filter(({ x, y }) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
}

function classDots(pca: PcaJson, colours: readonly string[]): Plot.Markish {
  const dots = pointsOf(pca.id).map((point, index) => ({
    ...point,
    fill: at(colours, at(pca.id.label, index)),
  }));
  return Plot.dot(dots, {
    x: "x",
    y: "y",
    r: 2.6,
    fill: (dot: { fill: string }) => dot.fill,
    fillOpacity: 0.8,
  });
}

/** Draws one OOD set over the ID classes. */
export function scatterFigure(document: Document, pca: PcaJson, set: string): Markup | null {
  const ood = pca.ood[set];
  if (ood === undefined || pca.id.x.length === 0) return null;
  const colours = classColours(pca.classes.length);
  const [xDomain, yDomain] = [limits(pca.id.x), limits(pca.id.y)];
  const shown = inside(pointsOf(ood), xDomain, yDomain);
  const outside = ood.x.length - shown.length;
  const [first, second] = pca.explained;
  const caption =
    `Penultimate features on the first two principal axes of the ID training set (${percent(first)} % and ${percent(second)} % of the variance): ` +
    `${count(pca.id.x.length)} ID test samples in colour, ${count(ood.x.length)} of ${set} as small dots on top` +
    (outside > 0 ? ` (${count(outside)} lie outside the frame).` : ".") +
    (pca.classes.length > MAX_NAMED ? ` Colours are ${count(pca.classes.length)} classes.` : "");
  const named = pca.classes.length <= MAX_NAMED ? pca.classes : [];
  const legend = [
    ...named.map((name, index) => ({ name, colour: at(colours, index), dot: true })),
    { name: `${set} (OOD)`, colour: OOD_COLOUR, dot: true },
  ];
  return drawFigure(
    document,
    { title: `ID classes and ${set}`, caption, legend },
    {
      width: 520,
      height: 440,
      x: { label: "first principal component", domain: xDomain },
      y: { label: "second principal component", domain: yDomain },
      color: { type: "identity" },
      marks: [
        Plot.frame({ strokeOpacity: 0.3 }),
        classDots(pca, colours),
        Plot.dot(shown, { x: "x", y: "y", r: 0.9, fill: OOD_COLOUR, fillOpacity: 0.55 }),
      ],
    },
  );
}
