/** The three curves of a run: loss, accuracy, NC1. */
import type { MetricRow } from "../src/report/index.ts";
import { Chart } from "./charts.ts";
import { byId } from "./dom.ts";

const LINES = { train: 0, validation: 1 } as const;
const SERIES = [
  { name: "training", className: "line-train" },
  { name: "validation", className: "line-held", dots: true },
] as const;

const figure = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (value: number): string => `${Number((100 * value).toPrecision(3))} %`;

/** Charts that a run fills. */
export class Curves {
  private readonly loss = new Chart(byId("loss", HTMLElement), {
    title: "Loss",
    series: SERIES,
    scale: "linear",
    format: figure,
  });
  private readonly accuracy = new Chart(byId("accuracy", HTMLElement), {
    title: "Accuracy",
    series: SERIES,
    scale: "linear",
    range: [0, 1],
    format: percent,
  });
  private readonly collapse = new Chart(byId("collapse", HTMLElement), {
    title: "NC1: spread within classes / between",
    series: [{ name: "training", className: "line-third", dots: true }],
    scale: "log",
    format: figure,
  });

  /** Empties the charts for a run of so many steps. */
  reset(steps: number): void {
    for (const chart of [this.loss, this.accuracy, this.collapse]) chart.reset(steps);
  }

  /** Adds a row of the run's metrics; the final test result has no place in a curve. */
  add(row: MetricRow): void {
    const line = row.type === "train" ? LINES.train : LINES.validation;
    if (row.type === "eval" && row.split !== "val") return;
    this.loss.add(line, row.step, row.loss);
    if (row.accuracy !== undefined) this.accuracy.add(line, row.step, row.accuracy);
  }

  /** Adds NC1 of a measured model. */
  addCollapse(step: number, nc1: number): void {
    this.collapse.add(0, step, nc1);
  }
}
