/** Curves of a training run: loss and accuracy against the step. */
import type { Markup } from "./html.ts";
import type { MetricRow } from "./input.ts";
import { lineChart, type Series } from "./plot.ts";

const LOSS_POINTS = 400;

/** Every k-th row, so that a long run does not make a large page; the last row stays. */
function thinned<T>(rows: readonly T[], limit = LOSS_POINTS): T[] {
  const stride = Math.max(1, Math.ceil(rows.length / limit));
  return rows.filter((_, index) => index % stride === 0 || index === rows.length - 1);
}

const trainRows = (metrics: readonly MetricRow[]): Extract<MetricRow, { type: "train" }>[] =>
  metrics.filter((row) => row.type === "train");

/** Evaluations of one whole split, in order. */
export const evalRows = (
  metrics: readonly MetricRow[],
  split: "train" | "val" | "test",
): Extract<MetricRow, { type: "eval" }>[] =>
  metrics.filter((row) => row.type === "eval").filter((row) => row.split === split);

const SPLITS = [
  ["train", "training set, eval mode"],
  ["val", "ID validation"],
  ["test", "ID test"],
] as const;

function lossFigure(document: Document, metrics: readonly MetricRow[]): Markup | null {
  const rows = thinned(trainRows(metrics));
  const batches: Series = {
    name: "training batches",
    x: rows.map(({ step }) => step),
    y: rows.map(({ loss }) => loss),
    width: 1.25,
  };
  const splits = SPLITS.map(([split, name]): Series => {
    const points = evalRows(metrics, split);
    return { name, x: points.map(({ step }) => step), y: points.map(({ loss }) => loss) };
  });
  const series = [batches, ...splits].filter(({ x }) => x.length > 1); // a point is no curve
  if (series.length === 0) return null;
  return lineChart(document, {
    title: "Loss",
    caption: "Cross-entropy against the step, log scale.",
    xLabel: "step",
    yLabel: "loss",
    log: true,
    series,
  });
}

function accuracyFigure(document: Document, metrics: readonly MetricRow[]): Markup | null {
  const series = SPLITS.map(([split, name]): Series => {
    const points = evalRows(metrics, split);
    return {
      name,
      x: points.map(({ step }) => step),
      y: points.map(({ accuracy }) => 100 * accuracy),
    };
  }).filter(({ x }) => x.length > 0);
  if (series.length === 0) return null;
  return lineChart(document, {
    title: "Accuracy",
    caption: "Percent of whole splits, in eval mode.",
    xLabel: "step",
    yLabel: "accuracy (%)",
    dots: true,
    series,
  });
}

/** Loss and accuracy curves of a run. */
export const trainingFigures = (document: Document, metrics: readonly MetricRow[]): Markup[] =>
  [lossFigure(document, metrics), accuracyFigure(document, metrics)].filter(
    (drawn) => drawn !== null,
  );
