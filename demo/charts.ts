/** Small line charts in SVG that grow while a model trains. */

/** A line of a chart. */
export interface SeriesStyle {
  readonly name: string;
  /** Class that the style sheet colours. */
  readonly className: string;
  /** Marks each point; for series with few of them. */
  readonly dots?: boolean;
}

/** What a chart shows. */
export interface ChartOptions {
  readonly title: string;
  readonly series: readonly SeriesStyle[];
  readonly scale: "linear" | "log";
  /** Fixed range of the values; else that of the data. */
  readonly range?: readonly [number, number];
  readonly format: (value: number) => string;
}

interface Point {
  readonly step: number;
  readonly value: number;
}

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 320;
const HEIGHT = 170;
const MARGIN = { left: 44, right: 10, top: 10, bottom: 22 };
const MAX_POINTS = 600; // per line: more than its pixels show
const TICKS = 4;

function element(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function label(text: string, x: number, y: number, anchor: string): SVGElement {
  const made = element("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

/** Round numbers, about `count` of them, that lie in [low, high]. */
export function ticks(low: number, high: number, count = TICKS): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}

/** One chart with its heading and the newest values, in a `<figure>`. */
export class Chart {
  private readonly options: ChartOptions;
  private readonly points: Point[][];
  private readonly svg: SVGElement;
  private readonly newest: HTMLElement;
  private lastStep = 1;
  private isDue = false;

  constructor(figure: HTMLElement, options: ChartOptions) {
    this.options = options;
    this.points = options.series.map(() => []);
    this.svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    this.newest = document.createElement("figcaption");
    figure.replaceChildren(this.newest, this.svg);
    this.draw();
  }

  /** Starts again, with a step axis up to `lastStep`. */
  reset(lastStep: number): void {
    this.lastStep = Math.max(1, lastStep);
    for (const line of this.points) line.length = 0;
    this.drawSoon();
  }

  /** Adds a point to the line number `series`. */
  add(series: number, step: number, value: number): void {
    const line = this.points[series];
    if (!line || !Number.isFinite(value)) return;
    line.push({ step, value });
    if (line.length > MAX_POINTS) {
      const kept = line.filter((_, index) => index % 2 === 1);
      line.splice(0, line.length, ...kept);
    }
    this.drawSoon();
  }

  private drawSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.draw();
    });
  }

  private bounds(): [number, number] {
    const { range, scale } = this.options;
    if (range) return [...range];
    const values = this.points.flat().map(({ value }) => this.scaled(value));
    if (values.length === 0) return [0, 1];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const padding = (high - low || 1) * 0.08;
    return scale === "linear" && low >= 0 ? [0, high + padding] : [low - padding, high + padding];
  }

  /** Where grid lines go, scaled. A log axis of less than a decade has round values, not powers. */
  private marks(low: number, high: number): number[] {
    if (this.options.scale === "linear") return ticks(low, high);
    return high - low > 1
      ? ticks(low, high).filter(Number.isInteger)
      : ticks(10 ** low, 10 ** high).map(Math.log10);
  }

  private scaled(value: number): number {
    return this.options.scale === "log" ? Math.log10(Math.max(value, 1e-12)) : value;
  }

  private draw(): void {
    const { title, series, scale, format } = this.options;
    const [low, high] = this.bounds();
    const inner = {
      width: WIDTH - MARGIN.left - MARGIN.right,
      height: HEIGHT - MARGIN.top - MARGIN.bottom,
    };
    const x = (step: number): number => MARGIN.left + (step / this.lastStep) * inner.width;
    const y = (scaled: number): number =>
      MARGIN.top + (1 - (scaled - low) / (high - low)) * inner.height;
    const parts: SVGElement[] = [];
    for (const tick of this.marks(low, high)) {
      parts.push(
        element("line", {
          class: "grid",
          x1: MARGIN.left,
          x2: WIDTH - MARGIN.right,
          y1: y(tick),
          y2: y(tick),
        }),
      );
      parts.push(
        label(format(scale === "log" ? 10 ** tick : tick), MARGIN.left - 5, y(tick) + 3.5, "end"),
      );
    }
    for (const step of ticks(0, this.lastStep).filter(Number.isInteger))
      parts.push(label(String(step), x(step), HEIGHT - 6, "middle"));
    series.forEach((style, index) => {
      const line = (this.points[index] ?? []).map(({ step, value }): [number, number] => [
        x(step),
        y(this.scaled(value)),
      ]);
      parts.push(...drawLine(line, style));
    });
    this.svg.replaceChildren(...parts);
    this.describe(title);
  }

  /** The newest values beside the title, also for those who cannot see the lines. */
  private describe(title: string): void {
    const { series, format } = this.options;
    const heading = document.createElement("strong");
    heading.textContent = title;
    const values = series.map(({ name, className }, index) => {
      const newest = this.points[index]?.at(-1);
      const item = document.createElement("span");
      item.className = className;
      item.textContent = `${name} ${newest ? format(newest.value) : "–"}`;
      return item;
    });
    this.newest.replaceChildren(heading, ...values);
    const text = values.map(({ textContent }) => textContent).join(", ");
    this.svg.setAttribute("aria-label", `${title} against training step: ${text}`);
  }
}

function drawLine(
  line: readonly [number, number][],
  { className, dots }: SeriesStyle,
): SVGElement[] {
  const points = line.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const drawn = [element("polyline", { class: className, points })];
  if (dots === true)
    drawn.push(...line.map(([cx, cy]) => element("circle", { class: className, cx, cy, r: 2.5 })));
  return drawn;
}
