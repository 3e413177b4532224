/** Bar charts of times: one bar an engine or a variant, with its spread and what the peaks allow. */
import * as Plot from "@observablehq/plot";
import type { Markup } from "../../src/report/html.ts";
import { seriesColour } from "../../src/report/palette.ts";
import { drawFigure } from "../../src/report/plot.ts";
import type { LegendEntry } from "../../src/report/plot.ts";
import { withSpread } from "./figures.ts";

/** Whose time a bar is. */
export type BarKind = "picked" | "variant" | "peer";

/** A bar of a chart. */
export interface Bar {
  readonly name: string;
  readonly kind: BarKind;
  /** Median and median absolute deviation, ms. */
  readonly ms: number;
  readonly mad: number;
  /** Least time that the measured peaks allow; null where nothing is counted. */
  readonly least: number | null;
  /** What is wrong with it, such as a result that disagrees. */
  readonly remark?: string;
}

const KINDS: Readonly<Record<BarKind, { colour: string; name: string }>> = {
  picked: { colour: seriesColour(0), name: "neco-webgpu" },
  variant: { colour: "#9cc3e6", name: "neco-webgpu, otherwise" },
  peer: { colour: "#a9a295", name: "other engines" },
};
const LEAST_COLOUR = "#d1495b";

const WIDTH = 560;
const BAR_HEIGHT = 30;
const LETTER = 6.4; // px of a letter at Plot's 10 px, with some air
const LABEL_ROOM = 110; // px for "1,234 ± 12 ms"

const label = ({ ms, mad, remark }: Bar): string =>
  `${withSpread(ms, mad)} ms${remark === undefined ? "" : `, ${remark}`}`;

function legendOf(bars: readonly Bar[]): LegendEntry[] {
  const kinds = (["picked", "variant", "peer"] as const).filter((kind) =>
    bars.some((bar) => bar.kind === kind),
  );
  return [
    ...kinds.map((kind) => ({ name: KINDS[kind].name, colour: KINDS[kind].colour, dot: true })),
    ...(bars.some(({ least }) => least !== null)
      ? [{ name: "least time that the peaks allow", colour: LEAST_COLOUR }]
      : []),
  ];
}

/** Times side by side, in the order given; whiskers are ± one median absolute deviation. */
export function barChart(
  document: Document,
  { title, caption, bars }: { title: string; caption: string; bars: readonly Bar[] },
): Markup {
  const y = { y: "name" } as const;
  const bounded = bars.filter(({ least }) => least !== null);
  const marginLeft = 16 + LETTER * Math.max(...bars.map(({ name }) => name.length));
  return drawFigure(
    document,
    { title, caption, legend: legendOf(bars) },
    {
      width: WIDTH,
      height: 52 + BAR_HEIGHT * bars.length,
      marginLeft,
      marginRight: LABEL_ROOM,
      x: {
        label: "ms, lower is better",
        labelArrow: "none",
        labelAnchor: "center",
        grid: true,
        ticks: 5,
        zero: true,
      },
      y: { label: null, domain: bars.map(({ name }) => name), padding: 0.25 },
      marks: [
        Plot.barX(bars, { ...y, x: "ms", fill: ({ kind }: Bar) => KINDS[kind].colour }),
        Plot.ruleY(bars, {
          ...y,
          x1: ({ ms, mad }: Bar) => Math.max(0, ms - mad),
          x2: ({ ms, mad }: Bar) => ms + mad,
          stroke: "currentColor",
        }),
        Plot.tickX(bounded, { ...y, x: "least", stroke: LEAST_COLOUR, strokeWidth: 2.5 }),
        Plot.text(bars, {
          ...y,
          x: ({ ms, mad }: Bar) => ms + mad,
          text: label,
          textAnchor: "start",
          dx: 6,
        }),
        Plot.ruleX([0]),
      ],
    },
  );
}
