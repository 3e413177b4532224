/** Neural collapse as figures and a table: NC1–NC5 against the step, or of one checkpoint. */
import { html, type Markup } from "./html.ts";
import { count, figure, percent } from "./format.ts";
import type { NcJson, NcMetrics } from "./collapse-input.ts";
import { dotChart, lineChart, type Series } from "./plot.ts";

type NcStep = NcMetrics & { readonly step: number };

type Pick = (metrics: NcStep) => number | undefined;

const curve = (steps: readonly NcStep[], name: string, pick: Pick): Series => ({
  name,
  x: steps.map(({ step }) => step),
  y: steps.map((one) => pick(one) ?? Number.NaN),
});

const namesOf = (steps: readonly NcStep[], pick: (step: NcStep) => object): string[] => [
  ...new Set(steps.flatMap((step) => Object.keys(pick(step)))),
];

interface NcChart {
  readonly title: string;
  readonly caption: string;
  readonly log?: boolean;
  readonly series: readonly Series[];
}

function spreadCharts(steps: readonly NcStep[]): NcChart[] {
  const withOod = namesOf(steps, (step) => step.with_ood);
  const oodOnly = namesOf(steps, (step) => step.ood_only);
  return [
    {
      title: "NC1: variability within classes",
      caption:
        "Tr(Σ_W Σ_B⁺)/C, log scale; 0 = collapsed. Also with each OOD set as one more class, and of OOD sets alone.",
      log: true,
      series: [
        { ...curve(steps, "ID", ({ nc1 }) => nc1), width: 2.75 },
        ...withOod.map((set) => curve(steps, `ID + ${set}`, (step) => step.with_ood[set]?.nc1)),
        ...oodOnly.map((set) => curve(steps, `${set} alone`, (step) => step.ood_only[set]?.nc1)),
      ],
    },
    {
      title: "NC2: equal norms",
      caption:
        "Deviation over mean of the norms, of the centred class means and of the classifier's rows; 0 = equal. With OOD: the OOD mean as one more class.",
      series: [
        curve(steps, "class means", ({ nc2 }) => nc2.equinorm_means),
        curve(steps, "classifier", ({ nc2 }) => nc2.equinorm_weights),
        ...withOod.map((set) =>
          curve(steps, `means, ID + ${set}`, (step) => step.with_ood[set]?.nc2.equinorm_means),
        ),
      ],
    },
    {
      title: "NC2: equal angles",
      caption:
        "Mean |cos + 1/(C−1)| over pairs; 0 = a simplex. With OOD: the OOD mean as one more class.",
      series: [
        curve(steps, "class means", ({ nc2 }) => nc2.equiangularity_means),
        curve(steps, "classifier", ({ nc2 }) => nc2.equiangularity_weights),
        ...withOod.map((set) =>
          curve(
            steps,
            `means, ID + ${set}`,
            (step) => step.with_ood[set]?.nc2.equiangularity_means,
          ),
        ),
      ],
    },
  ];
}

function alignmentCharts(steps: readonly NcStep[]): NcChart[] {
  return [
    {
      title: "NC3: self-duality",
      caption: "‖Wᵀ/‖W‖ − M/‖M‖‖²; 0 = the classifier is the class means.",
      series: [curve(steps, "NC3", ({ nc3 }) => nc3)],
    },
    {
      title: "NC4: nearest class mean",
      caption:
        "Share of training samples whose nearest class mean is not the network's prediction.",
      series: [curve(steps, "NC4", ({ nc4 }) => nc4)],
    },
    {
      title: "NC5: OOD orthogonality",
      caption: "Mean |cos| between the class means and the OOD mean; 0 = orthogonal.",
      series: namesOf(steps, ({ nc5 }) => nc5).map((set) =>
        curve(steps, set, (step) => step.nc5[set]),
      ),
    },
  ];
}

/** The regularised loss and its parts, where they were measured. */
function lossCharts(steps: readonly NcStep[]): NcChart[] {
  const known = steps.find(({ loss }) => loss !== undefined)?.loss;
  if (known === undefined) return [];
  const name = known.kind === "ce" ? "cross-entropy" : "squared error";
  return [
    {
      title: "Regularised loss",
      caption: `Mean ${name} of the training samples and ½ · ${figure(known.weight_decay)} · Σ‖θ‖² over the parameters of the ${known.parameters}, log scale.`,
      log: true,
      series: [
        curve(steps, name, ({ loss }) => loss?.mean),
        curve(steps, "penalty", ({ loss }) => loss?.penalty),
        curve(steps, "sum", ({ loss }) => loss?.total),
      ],
    },
  ];
}

/** The parts of the squared error, where they were measured. */
function errorCharts(steps: readonly NcStep[]): NcChart[] {
  const decay = steps.find(({ mse }) => mse !== undefined)?.mse?.weight_decay;
  if (decay === undefined) return [];
  return [
    {
      title: "Parts of the squared error",
      caption: `Under a weight decay of ${figure(decay)}, log scale: LNC1, what features within a class cost the best classifier; LNC2/3, what the class means cost it; L⊥, how far the classifier is from it.`,
      log: true,
      series: [
        curve(steps, "LNC1", ({ mse }) => mse?.lnc1),
        curve(steps, "LNC2/3", ({ mse }) => mse?.lnc2_3),
        curve(steps, "L⊥", ({ mse }) => mse?.l_perp),
      ],
    },
  ];
}

/** NC1 … NC5, or null for a chart of several measures. */
const measureOf = ({ title }: NcChart): string | null =>
  title.startsWith("NC") ? title.slice(0, 3) : null;

/** What a single checkpoint's charts compare; a number alone is in the table. */
function singleFigures(document: Document, charts: readonly NcChart[]): Markup[] {
  return charts
    .filter(({ series, title }) => series.length > 1 || title.startsWith("NC5"))
    .flatMap((chart) => {
      const rows = chart.series.map(({ name, y }) => ({ name, value: y[0] ?? Number.NaN }));
      return dotChart(document, { ...chart, rows, xLabel: measureOf(chart) }) ?? [];
    });
}

/** NC1–NC5 against the step, the end of the warm-up marked; a single checkpoint's as dots. */
export function collapseFigures(
  document: Document,
  nc: NcJson,
  warmupSteps: number | null = null,
): Markup[] {
  const steps = nc.steps ?? [{ ...nc, step: 0 }];
  const charts = [
    ...spreadCharts(steps),
    ...alignmentCharts(steps),
    ...lossCharts(steps),
    ...errorCharts(steps),
  ].filter(({ series }) => series.length > 0);
  if (steps.length < 2) return singleFigures(document, charts);
  const marks =
    warmupSteps === null || warmupSteps <= 0 ? [] : [{ x: warmupSteps, name: "warm-up ends" }];
  return charts.map((chart) =>
    lineChart(document, {
      ...chart,
      xLabel: "step",
      yLabel: measureOf(chart),
      dots: true,
      marks,
    }),
  );
}

/** The numbers behind the curves, as a table. */
export function collapseTable(nc: NcJson): Markup {
  const steps = nc.steps ?? [];
  const rows: readonly (NcMetrics & { step?: number })[] = steps.length > 0 ? steps : [nc];
  const sets = Object.keys(nc.nc5);
  return html`<div class="wide">
    <table>
      <caption>
        Training features in eval mode. NC1 is divided by the number of classes; NC1 (trace) is not.
      </caption>
      <thead>
        <tr>
          ${["step", "training accuracy (%)", "NC1", "NC1 (trace)", "NC2 norms: means", "classifier", "NC2 angles: means", "classifier", "NC3", "NC4", ...sets.map((set) => `NC5 ${set}`)].map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              <th scope="row">${row.step === undefined ? "–" : count(row.step)}</th>
              ${[
                percent(row.accuracy),
                ...[
                  row.nc1,
                  row.nc1_trace,
                  row.nc2.equinorm_means,
                  row.nc2.equinorm_weights,
                  row.nc2.equiangularity_means,
                  row.nc2.equiangularity_weights,
                  row.nc3,
                  row.nc4,
                ].map(figure),
                ...sets.map((set) => figure(row.nc5[set] ?? Number.NaN)),
              ].map((cell) => html`<td>${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}
