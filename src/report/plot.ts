/** Turns Plot's figures into captioned, self-contained SVG; the document is injected (linkedom in Node). */
import * as Plot from "@observablehq/plot";
import { figure } from "./format.ts";
import { seriesColour, seriesDash } from "./palette.ts";
import { html, trusted, type Markup } from "./html.ts";

/** What stands around a drawing: its name, what one should see, and the key to its colours. */
export interface FigureText {
  readonly title: string;
  readonly caption: string;
  readonly legend?: readonly LegendEntry[];
}

/** A line of a legend: a stroke with its dash, or a dot. */
export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
  readonly dash?: string;
  readonly dot?: boolean;
}

/** A named line of a chart. */
export interface Series {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly colour?: string;
  readonly dash?: string;
  readonly width?: number;
}

/** What a line chart needs beside its series. */
export interface LineChart extends FigureText {
  readonly xLabel: string;
  readonly yLabel: string | null;
  readonly series: readonly Series[];
  readonly log?: boolean;
  readonly yDomain?: readonly [number, number];
  readonly xDomain?: readonly [number, number];
  /** Vertical dashed lines with a word beside them. */
  readonly marks?: readonly { readonly x: number; readonly name: string }[];
  /** Draws the points, for curves with few of them. */
  readonly dots?: boolean;
}

const COORDINATES =
  /(\s(?:d|x|y|x1|x2|y1|y2|cx|cy|transform|width|height|stroke-width)=")([^"]*)"/g;

/** Coordinates rounded to a hundredth of a pixel: a third of the size, the same picture. */
const rounded = (svg: string): string =>
  svg.replace(
    COORDINATES,
    (_, name: string, value: string) =>
      `${name}${value.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (digits) => String(Math.round(Number(digits) * 100) / 100))}"`,
  );

/** Plot repeats its style in each drawing; the page holds it once. */
const withoutStyle = (svg: string): string => svg.replace(/<style>[^<]*<\/style>/g, "");

function legendItem({ name, colour, dash, dot }: LegendEntry): Markup {
  const key =
    dot === true
      ? trusted(`<circle cx="11" cy="6" r="4" fill="${colour}"/>`)
      : trusted(
          `<line x1="0" x2="22" y1="6" y2="6" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash ?? "none"}"/>`,
        );
  return html`<li><svg width="22" height="12" aria-hidden="true">${key}</svg>${name}</li>`;
}

/** Draws with Plot and wraps the SVG in a `figure` with its caption and legend. */
export function drawFigure(
  document: Document,
  { title, caption, legend = [] }: FigureText,
  options: Plot.PlotOptions,
): Markup {
  const drawing = Plot.plot({ ...options, document, className: "plot", ariaLabel: title });
  drawing.setAttribute("role", "img");
  return html`<figure>
    <figcaption><b>${title}</b>${caption}</figcaption>
    ${
      legend.length > 0
        ? html`<ul class="legend">
            ${legend.map(legendItem)}
          </ul>`
        : null
    }
    ${trusted(withoutStyle(rounded(drawing.outerHTML)))}
  </figure>`;
}

/** The series with a colour and a dash each. */
const styled = (series: readonly Series[]): Required<Series>[] =>
  series.map((one, index) => ({
    colour: seriesColour(index),
    dash: seriesDash(Math.floor(index / 2)),
    width: 1.75,
    ...one,
  }));

function points({ x, y }: Series, log: boolean): { x: number; y: number }[] {
  return Array.from(x, (value, index) => ({ x: value, y: y[index] ?? Number.NaN })).filter(
    (point) => Number.isFinite(point.y) && (!log || point.y > 0),
  );
}

const tick = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)
    ? value.toExponential(0)
    : String(Number(value.toPrecision(6)));

/** Powers of ten in a domain. */
const powersIn = ([low, high]: [number, number]): number[] => {
  const [first, last] = [Math.round(Math.log10(low)), Math.round(Math.log10(high))];
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
};

/** The log ticks need at least one power of ten in view. */
function logDomain(series: readonly Series[]): [number, number] {
  const values = series.flatMap((one) => points(one, true).map(({ y }) => y));
  if (values.length === 0) return [0.1, 1];
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)) + 1e-9);
  return [low, high];
}

function axesOf(
  { xLabel, yLabel, log = false, xDomain, yDomain }: LineChart,
  series: readonly Series[],
): Pick<Plot.PlotOptions, "x" | "y"> {
  const domain = logDomain(series);
  return {
    x: { label: xLabel, nice: false, tickFormat: tick, ...(xDomain ? { domain: xDomain } : {}) },
    y: {
      label: yLabel,
      grid: true,
      tickFormat: tick,
      ...(log ? { type: "log", domain, ticks: powersIn(domain) } : {}),
      ...(yDomain ? { domain: yDomain } : {}),
    },
  };
}

/** Lines over one x axis: curves against the step, ROC, AUROC against d. */
export function lineChart(document: Document, chart: LineChart): Markup {
  const { log = false, dots = false, marks = [] } = chart;
  const series = styled(chart.series);
  const lines = series.flatMap((one) => [
    Plot.lineY(points(one, log), {
      x: "x",
      y: "y",
      stroke: one.colour,
      strokeWidth: one.width,
      ...(one.dash === "none" ? {} : { strokeDasharray: one.dash }),
    }),
    ...(dots ? [Plot.dot(points(one, log), { x: "x", y: "y", r: 2.5, fill: one.colour })] : []),
  ]);
  const guides = marks.flatMap(({ x, name }) => [
    Plot.ruleX([x], { stroke: "currentColor", strokeDasharray: "4 3" }),
    Plot.text([name], { x, frameAnchor: "top-left", dx: 4, dy: 2 }),
  ]);
  const legend = series.map(({ name, colour, dash }) => ({ name, colour, dash }));
  return drawFigure(
    document,
    {
      legend: legend.filter(({ name }) => series.length > 1 || !chart.title.startsWith(name)),
      ...chart,
    },
    {
      width: 460,
      height: 290,
      marginLeft: 52,
      ...axesOf(chart, series),
      marks: [...lines, ...guides],
    },
  );
}

/** Named values as dots on one axis. */
export interface DotChart extends FigureText {
  readonly xLabel: string | null;
  readonly rows: readonly { readonly name: string; readonly value: number }[];
  readonly log?: boolean;
}

const ROW_HEIGHT = 24;
const LETTER_WIDTH = 6.5;

/** A dot per name with its value beside it, for what was measured once; null if nothing can be drawn. */
export function dotChart(document: Document, chart: DotChart): Markup | null {
  const { log = false, xLabel } = chart;
  const rows = chart.rows.filter(({ value }) => Number.isFinite(value) && (!log || value > 0));
  if (rows.length === 0) return null;
  const largest = Math.max(...rows.map(({ value }) => value));
  const domain = logDomain([{ name: "", x: rows.map(() => 0), y: rows.map(({ value }) => value) }]);
  const longest = Math.max(...rows.map(({ name }) => name.length));
  return drawFigure(document, chart, {
    width: 460,
    height: 60 + ROW_HEIGHT * rows.length,
    marginLeft: Math.min(200, 20 + LETTER_WIDTH * longest),
    marginRight: 60,
    x: log
      ? {
          label: xLabel,
          type: "log",
          domain,
          ticks: powersIn(domain),
          tickFormat: tick,
          grid: true,
        }
      : { label: xLabel, domain: [0, largest || 1], nice: true, tickFormat: tick, grid: true },
    y: { label: null, domain: rows.map(({ name }) => name), type: "point" },
    marks: [
      Plot.ruleY(rows, { y: "name", strokeOpacity: 0.15 }),
      Plot.dot(rows, { x: "value", y: "name", r: 4, fill: seriesColour(0) }),
      Plot.text(rows, {
        x: "value",
        y: "name",
        text: ({ value }: { value: number }) => figure(value),
        textAnchor: "start",
        dx: 8,
      }),
    ],
  });
}
