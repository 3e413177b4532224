/** The roofline plot: every row with operations and bytes, below the two measured roofs. */
import * as Plot from "@observablehq/plot";
import type { Markup } from "../../src/report/html.ts";
import { seriesColour } from "../../src/report/palette.ts";
import { drawFigure } from "../../src/report/plot.ts";
import type { LegendEntry } from "../../src/report/plot.ts";
import type { Peaks } from "../probes.ts";
import type { BenchReport } from "../report.ts";
import { attainable } from "../roofline.ts";
import type { Roof } from "../roofline.ts";
import { keyOf } from "../rows/row.ts";
import type { Measured } from "../run.ts";
import { figure, percent } from "./figures.ts";
import { placeLabels } from "./labels.ts";

const SIZE = { width: 960, height: 560 };
const MARGIN = { left: 56, right: 20, top: 24, bottom: 44 };
const STYLE = { letter: 5.4, height: 11, radius: 7 };
const ROOF_COLOUR = "#d1495b";
const AFTER_DASH = "3 4";
/** Keeps text readable on lines. */
const HALO = { fill: "currentColor", stroke: "var(--paper)", strokeWidth: 3 };

/** A point of the plot. */
interface Point {
  readonly row: Measured;
  readonly x: number; // operations per byte
  readonly y: number; // GFLOP/s
}

type Kind = "workload" | "op" | "other";
const KINDS: Readonly<Record<Kind, { colour: string; name: string; r: number }>> = {
  workload: { colour: seriesColour(3), name: "workloads", r: 5.5 },
  op: { colour: seriesColour(0), name: "ops, as the engine runs them", r: 3.5 },
  other: { colour: "#a3adb8", name: "other variants and modes", r: 2.5 },
};

const kindOf = ({ kind, picked }: Measured): Kind =>
  picked === false ? "other" : kind === "workload" ? "workload" : "op";

const roofOf = ({ fma, copy }: Peaks): Roof => ({ fma: fma.rate, copy: copy.rate });

/** Rows that have both counts: the others have no intensity. */
export const pointsOf = (rows: readonly Measured[]): Point[] =>
  rows.flatMap((row) =>
    row.intensity !== null && row.gflops > 0 ? [{ row, x: row.intensity, y: row.gflops }] : [],
  );

/** Powers of ten around the values. */
function decades(values: readonly number[]): [number, number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [10 ** low, 10 ** Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

/** The powers of ten of a domain, for ticks. */
const powersIn = ([low, high]: [number, number]): number[] =>
  Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, power) => low * 10 ** power);

/** From a value to pixels and back, on a log axis. */
function logAxis([low, high]: [number, number], [start, end]: [number, number]) {
  const span = Math.log(high / low);
  return {
    at: (value: number): number => start + ((end - start) * Math.log(value / low)) / span,
    value: (pixel: number): number => low * Math.exp((span * (pixel - start)) / (end - start)),
  };
}

/** The roof as a line over a domain: copy peak times intensity, then flat at the FMA peak. */
const roofLine = (roof: Roof, [low, high]: [number, number]): { x: number; y: number }[] =>
  [low, Math.min(high, Math.max(low, roof.fma / roof.copy)), high].map((x) => ({
    x,
    y: attainable(x, roof),
  }));

function labelMarks(points: readonly Point[], x: [number, number], y: [number, number]) {
  const box = {
    left: MARGIN.left,
    right: SIZE.width - MARGIN.right,
    top: MARGIN.top,
    bottom: SIZE.height - MARGIN.bottom,
  };
  const [across, up] = [logAxis(x, [box.left, box.right]), logAxis(y, [box.bottom, box.top])];
  const placed = placeLabels(
    points.map((point) => ({
      x: across.at(point.x),
      y: up.at(point.y),
      text:
        kindOf(point.row) === "other" ? `${point.row.name} (${point.row.variant})` : point.row.name,
    })),
    { ...STYLE, box },
  );
  return (["start", "end"] as const).map((textAnchor) =>
    Plot.text(
      placed.filter(({ anchor }) => anchor === textAnchor),
      {
        x: (label: { x: number }) => across.value(label.x),
        y: (label: { y: number }) => up.value(label.y),
        text: "text",
        textAnchor,
        fontSize: 9.5,
        ...HALO,
      },
    ),
  );
}

const tooltip = ({ row, x }: Point): string =>
  `${keyOf(row)}\n${figure(row.median)} ms, ${figure(row.gflops)} GFLOP/s, ${figure(x)} operations per byte, ${percent(row.fraction_of_peak)} of ${row.bound ?? "nothing"}`;

/** Degrees by which a line of slope 1 on the log axes rises on the page. */
function rise([left, right]: [number, number], [bottom, top]: [number, number]): number {
  const across = (SIZE.width - MARGIN.left - MARGIN.right) / Math.log(right / left);
  const up = (SIZE.height - MARGIN.top - MARGIN.bottom) / Math.log(top / bottom);
  return (180 / Math.PI) * Math.atan2(up, across);
}

function roofMarks(
  { peaks, peaks_after }: BenchReport,
  { x, y }: { x: [number, number]; y: [number, number] },
) {
  const before = roofOf(peaks);
  const start = x[0] * 1.3;
  const line = { x: "x", y: "y", stroke: ROOF_COLOUR } as const;
  const text = { ...HALO, fill: ROOF_COLOUR, dy: -9 };
  const after = peaks_after ? roofLine(roofOf(peaks_after), x) : [];
  return [
    Plot.line(after, { ...line, strokeDasharray: AFTER_DASH }),
    Plot.line(roofLine(before, x), { ...line, strokeWidth: 2 }),
    Plot.text([`FMA peak ${figure(before.fma)} GFLOP/s`], {
      ...text,
      x: x[1],
      y: before.fma,
      textAnchor: "end",
    }),
    Plot.text([`copy peak ${figure(before.copy)} GB/s`], {
      ...text,
      x: start,
      y: attainable(start, before),
      textAnchor: "start",
      rotate: -rise(x, y),
    }),
  ];
}

const ORDER: readonly Kind[] = ["workload", "op", "other"];

function legendOf(kinds: readonly Kind[], hasAfter: boolean): LegendEntry[] {
  const after = { name: "roof after them", colour: ROOF_COLOUR, dash: AFTER_DASH };
  return [
    ...kinds.map((kind) => ({ ...KINDS[kind], dot: true })),
    { name: "roof before the rows", colour: ROOF_COLOUR },
    ...(hasAfter ? [after] : []),
  ];
}

/** A log axis with a tick a decade. */
const decadeAxis = (domain: [number, number], label: string): Plot.ScaleOptions => ({
  type: "log",
  domain,
  label,
  grid: true,
  ticks: powersIn(domain),
  tickFormat: (value: number) => String(Number(value.toPrecision(3))),
});

/** The plot; null without a row that has operations and bytes. */
export function rooflineFigure(document: Document, report: BenchReport): Markup | null {
  const points = pointsOf(report.rows).sort(
    (a, b) => ORDER.indexOf(kindOf(a.row)) - ORDER.indexOf(kindOf(b.row)),
  );
  if (points.length === 0) return null;
  const roof = roofOf(report.peaks);
  const x = decades([...points.map((point) => point.x), roof.fma / roof.copy]);
  const y = decades([...points.map((point) => point.y), roof.fma, attainable(x[0], roof)]);
  const kinds = ORDER.filter((kind) => points.some(({ row }) => kindOf(row) === kind));
  const dots = (kind: Kind): Plot.Dot =>
    Plot.dot(
      points.filter(({ row }) => kindOf(row) === kind),
      { x: "x", y: "y", r: KINDS[kind].r, fill: KINDS[kind].colour, title: tooltip },
    );
  return drawFigure(
    document,
    {
      title: "What the rows reach of what the peaks allow",
      caption: `${points.length} rows with counted operations and bytes. Data beyond the caches keep a row below the solid line; data that the caches hold may lift it above.`,
      legend: legendOf(kinds, report.peaks_after !== null),
    },
    {
      ...SIZE,
      marginLeft: MARGIN.left,
      marginRight: MARGIN.right,
      marginTop: MARGIN.top,
      marginBottom: MARGIN.bottom,
      x: decadeAxis(x, "operations per byte →"),
      y: decadeAxis(y, "↑ GFLOP/s"),
      marks: [
        ...roofMarks(report, { x, y }),
        ...kinds.toReversed().map(dots),
        ...labelMarks(points, x, y),
      ],
    },
  );
}
