/** What collapse tends to, as the paper draws it: the simplex of four classes, and where OOD goes. */
import * as Plot from "@observablehq/plot";
import { at } from "../util/shape.ts";
import type { Markup } from "./html.ts";
import { classColours } from "./palette.ts";
import { drawFigure } from "./plot.ts";

/** Corners of a regular tetrahedron around 0, of norm √3: four class means with equal angles. */
const CORNERS = [
  [1, 1, 1],
  [1, -1, -1],
  [-1, 1, -1],
  [-1, -1, 1],
] as const;
/** Two orthonormal axes of view under which no two corners coincide. */
const RIGHT = [0.8, -0.6, 0] as const;
const UP = [0.24, 0.32, 0.9165] as const;

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, axis) => sum + value * at(b, axis), 0);

/** The simplex equiangular tight frame of four classes: a drawing of the definition, not of data. */
export function simplexFigure(document: Document): Markup {
  const colours = classColours(CORNERS.length);
  const means = CORNERS.map((corner, index) => ({
    x: dot(corner, RIGHT),
    y: dot(corner, UP),
    name: `class ${index + 1}`,
    colour: at(colours, index),
  }));
  const edges = means.flatMap((from, index) =>
    means.slice(index + 1).map((to) => ({ x1: from.x, y1: from.y, x2: to.x, y2: to.y })),
  );
  const ends = { x1: "x1", y1: "y1", x2: "x2", y2: "y2" };
  return drawFigure(
    document,
    {
      title: "The limit: a simplex of four classes",
      caption:
        "An illustration, no data. Under full collapse features sit on their class mean (NC1), the centred means have equal norms and angles with cosine −1/(C − 1) (NC2), the classifier's rows are the means up to scale (NC3), the nearest mean decides (NC4), and the OOD mean is orthogonal to all of them (NC5): projected on their span it is the dot in the middle.",
    },
    {
      width: 460,
      height: 330,
      x: { axis: null, domain: [-2.2, 2.2] },
      y: { axis: null, domain: [-1.9, 1.9] },
      marks: [
        Plot.link(edges, { ...ends, stroke: "currentColor", strokeOpacity: 0.25 }),
        Plot.link(
          means.map(({ x, y, colour }) => ({ x1: 0, y1: 0, x2: x, y2: y, colour })),
          { ...ends, stroke: (mean: { colour: string }) => mean.colour, strokeWidth: 2.5 },
        ),
        Plot.dot(means, { x: "x", y: "y", r: 6, fill: (mean: { colour: string }) => mean.colour }),
        Plot.text(means, { x: "x", y: "y", text: "name", dy: -14 }),
        Plot.dot([[0, 0]], { r: 4, fill: "var(--ood)" }),
        Plot.text([[0, 0]], { text: ["OOD"], dx: 18, dy: 12 }),
      ],
      color: { type: "identity" },
    },
  );
}
