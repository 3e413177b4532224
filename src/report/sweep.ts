/** NECO's AUROC and FPR against the number of principal directions. */
import { count, methodTitle } from "./format.ts";
import type { Markup } from "./html.ts";
import type { SweepJson } from "./input.ts";
import { lineChart } from "./plot.ts";

/** AUROC and FPR at 95 % ID TPR of NECO against d, with the d that was used. */
export function sweepFigures(document: Document, sweep: SweepJson): Markup[] {
  const metrics = [
    ["auroc", "AUROC against d"],
    ["fpr_at_95_id_tpr", "FPR at 95 % ID TPR against d"],
  ] as const;
  return metrics.map(([metric, title]) =>
    lineChart(document, {
      title: `${methodTitle(sweep.method ?? "neco")}: ${title}`,
      caption: `Percent. The dashed line is the d that the tables use (${count(sweep.chosen)}). The curves have seen the test OOD sets: they explain, they choose nothing.`,
      xLabel: "d (principal directions kept)",
      yLabel: "%",
      series: Object.entries(sweep.sets).map(([name, values]) => ({
        name,
        x: sweep.d,
        y: values[metric].map((value) => 100 * value),
      })),
      marks: [{ x: sweep.chosen, name: `d = ${sweep.chosen}` }],
    }),
  );
}
