/** Puts the sections of a report together into one self-contained page. */
import { collapseFigures, collapseTable } from "./collapse.ts";
import { delongMarkup } from "./delong.ts";
import { histogramFigure, rocFigure } from "./distributions.ts";
import type { Distribution } from "./scoreCounts.ts";
import { adapterNote, factsSection } from "./facts.ts";
import { count, figure, isSoftware, methodTitle, percent } from "./format.ts";
import { grid, renderFrame, type Section } from "./frame.ts";
import { html, type Markup } from "./html.ts";
import type { Example, ExamplesJson, ReportInput } from "./input.ts";
import { phaseNote, phaseOf } from "./phase.ts";
import { scatterFigure } from "./scatter.ts";
import { reliabilityFigure, riskFigure, selectiveTable } from "./selective.ts";
import { simplexFigure } from "./simplex.ts";
import { controlTables, methodFacts, resultTables } from "./tables.ts";
import { sweepFigures } from "./sweep.ts";
import { trainingFigures } from "./training.ts";

const present = (figures: readonly (Markup | null)[]): Markup[] =>
  figures.filter((one) => one !== null);

const card = (name: string, value: string): Markup =>
  html`<div class="card"><b>${value}</b>${name}</div>`;

function headline({ ood, config, nc }: ReportInput): Markup {
  const cards: Markup[] = [];
  if (ood !== null && ood.id.accuracy !== null)
    cards.push(
      card(
        `accuracy on ${count(ood.id.n)} ID test ${config === null ? "samples" : "images"}`,
        `${percent(ood.id.accuracy)}${ood.id.accuracy_std === undefined ? "" : ` ± ${percent(ood.id.accuracy_std)}`} %`,
      ),
    );
  const neco = ood?.results["neco"];
  for (const [group, result] of [
    ["near", neco?.near],
    ["far", neco?.far],
    ["all", neco?.average],
  ] as const)
    if (result !== null && result !== undefined)
      cards.push(card(`NECO, mean AUROC, ${group} OOD sets`, `${percent(result.auroc)} %`));
  if (nc !== null) cards.push(card("NC1 of the training features", figure(nc.nc1)));
  if (config !== null)
    cards.push(
      card(isSoftware(config.adapter.kind) ? "software adapter" : "adapter", config.adapter.kind),
    );
  return html`<div class="cards">${cards}</div>`;
}

function oodSection({ ood, groups }: ReportInput): Section[] {
  if (ood === null) return [];
  const body = html`<p>
      Every score is oriented so that higher means more in-distribution. ID test set: n =
      ${count(ood.id.n)}. Best in bold, and underlined; equal print is equal rank. Averages are
      unweighted means over sets.
    </p>
    ${resultTables(ood, groups)}${delongMarkup(ood, groups)}${controlTables(ood, groups)}
    <h3>Methods</h3>
    ${methodFacts(ood)}`;
  return [{ id: "results", title: "OOD detection", body }];
}

function scatterSection(document: Document, { pca }: ReportInput): Section[] {
  if (pca === null) return [];
  const figures = present(Object.keys(pca.ood).map((set) => scatterFigure(document, pca, set)));
  if (figures.length === 0) return [];
  return [
    {
      id: "features",
      title: "Features in the plane",
      body: html`<div class="plots">${figures}</div>`,
    },
  ];
}

function scoreSection(document: Document, { distributions }: ReportInput): Section[] {
  const methods = Object.keys(distributions);
  const headMethod = methods.includes("neco") ? "neco" : methods[0];
  if (headMethod === undefined) return [];
  const setsOf = (method: string): [string, Distribution][] =>
    Object.entries(distributions[method] ?? {});
  const histograms = (method: string): Markup[] =>
    setsOf(method).map(([set, distribution]) =>
      histogramFigure(document, { method, set, distribution }),
    );
  const others = methods.filter((method) => method !== headMethod);
  const body = html`<h3>Histograms, ${methodTitle(headMethod)}</h3>
    ${grid(histograms(headMethod))}
    ${others.map(
      (method) =>
        html`<details>
          <summary>Histograms, ${methodTitle(method)}</summary>
          ${grid(histograms(method))}
        </details>`,
    )}
    <h3>ROC</h3>
    ${grid(present(setsOf(headMethod).map(([set]) => rocFigure(document, distributions, set))))}`;
  return [{ id: "scores", title: "Scores", body }];
}

function confidenceSection(document: Document, { ood, groups }: ReportInput): Section[] {
  if (ood === null) return [];
  const figures = present([riskFigure(document, ood), reliabilityFigure(document, ood)]);
  const table = selectiveTable(ood, groups);
  if (figures.length === 0 && table === null) return [];
  const body = html`${grid(figures)}${table}`;
  return [{ id: "confidence", title: "Confidence on ID data", body }];
}

function sweepSection(document: Document, { sweep }: ReportInput): Section[] {
  if (sweep === null || sweep.d.length === 0) return [];
  return [
    {
      id: "sweep",
      title: "How many directions",
      body: html`${grid(sweepFigures(document, sweep))}`,
    },
  ];
}

function collapseSection(document: Document, { nc, metrics, config }: ReportInput): Section[] {
  if (nc === null) return [];
  const warmup = config?.recipe["warmupSteps"];
  const body = html`${phaseNote(phaseOf(nc, metrics))}${grid([simplexFigure(document), ...collapseFigures(document, nc, typeof warmup === "number" ? warmup : null)])}${collapseTable(nc)}`;
  return [{ id: "collapse", title: "Neural collapse", body }];
}

function trainingSection(document: Document, { metrics }: ReportInput): Section[] {
  const figures = trainingFigures(document, metrics);
  return figures.length === 0
    ? []
    : [{ id: "training", title: "Training", body: html`${grid(figures)}` }];
}

function exampleItem(example: Example): Markup {
  const truth = example.truth === null ? "no class of the model" : `class ${example.truth}`;
  return html`<li>
    <img
      src="${example.image}"
      width="${example.width}"
      height="${example.height}"
      alt="${example.set}, ${truth}: judged ${example.isOod ? "out of" : "in"} distribution"
    /><b>${example.isOod ? "out of distribution" : "in distribution"}</b>${example.set}, ${truth}<br />predicted
    ${example.predicted} (${percent(example.probability)} %)<br />score ${figure(example.score)}
  </li> `;
}

function examplesSection({ examples }: ReportInput): Section[] {
  if (examples === null || examples.examples.length === 0) return [];
  return [{ id: "examples", title: "Examples", body: examplesBody(examples) }];
}

const examplesBody = ({ method, threshold, examples }: ExamplesJson): Markup =>
  html`<p>
      Judged by ${methodTitle(method)}: out of distribution below ${figure(threshold)}, the value
      that 95 % of the ID validation set reach.
    </p>
    <ul class="examples">
      ${examples.map(exampleItem)}
    </ul>`;

/**
 * The whole report as one HTML file: inline style and SVG, no script, no other file.
 * @param document - where Plot makes its elements; linkedom's in Node, the page's in a browser.
 */
export function renderReport(input: ReportInput, document: Document): string {
  const sections = [
    ...oodSection(input),
    ...scatterSection(document, input),
    ...scoreSection(document, input),
    ...confidenceSection(document, input),
    ...sweepSection(document, input),
    ...collapseSection(document, input),
    ...trainingSection(document, input),
    ...examplesSection(input),
    { id: "facts", title: "Configuration and sources", body: factsSection(input) },
  ];
  return renderFrame({
    title: input.title,
    made: `neco-webgpu ${input.version}, ${input.generated}`,
    lead: html`${headline(input)}${input.config === null ? null : adapterNote(input.config)}`,
    sections,
  });
}
