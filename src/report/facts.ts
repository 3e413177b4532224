/** What was run, where, on what: configuration, adapter, versions, seeds, credits and hashes. */
import { count, isSoftware } from "./format.ts";
import { html, type Markup } from "./html.ts";
import type { Credit, Json, JsonRecord, ReportInput, RunConfig } from "./input.ts";

const isRecord = (value: Json): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A nested record as rows of dotted names: b inside a is the row "a.b". */
export function flatten(value: Json, name = ""): [string, string][] {
  if (isRecord(value))
    return Object.entries(value).flatMap(([key, inner]) =>
      flatten(inner, name === "" ? key : `${name}.${key}`),
    );
  return [[name, typeof value === "string" ? value : JSON.stringify(value)]];
}

/** Names and values, a pair a row. */
export const factTable = (caption: string, rows: readonly (readonly [string, string])[]): Markup =>
  html`<div class="wide">
    <table class="facts">
      <caption>
        ${caption}
      </caption>
      <tbody>
        ${rows.map(
          ([name, value]) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${value}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;

/** Names the adapter; a software adapter is named as such, with what that means for the times. */
export function adapterNote({ adapter }: Pick<RunConfig, "adapter">): Markup {
  return isSoftware(adapter.kind)
    ? html`<p class="note">
        <strong>Software adapter:</strong> ${adapter.description} (${adapter.kind}) computes on the
        processor, without a GPU. The results are the same arithmetic; the times say nothing about
        any GPU.
      </p>`
    : html`<p>Adapter: ${adapter.description}.</p>`;
}

function creditList(credits: readonly Credit[]): Markup {
  return html`<h3>Data credits and hashes</h3>
    <ul>
      ${credits.map(
        ({ name, credit, hash }) =>
          html`<li>
            <strong>${name}</strong>:
            ${credit}${hash === null ? null : html` <code>sha256 ${hash}</code>`}
          </li> `,
      )}
    </ul>`;
}

function datasetRows({ dataset }: RunConfig): [string, string][] {
  return [
    ["data set", `${dataset.title} (${dataset.name})`],
    ["classes", `${dataset.classes.length}: ${dataset.classes.join(", ")}`],
    ...Object.entries(dataset.counts).map(([split, size]): [string, string] => [
      `images, ${split}`,
      count(size),
    ]),
  ];
}

/** The section that lets somebody else run the same again. */
export function factsSection({ config, ood, credits, generated, version }: ReportInput): Markup {
  const made: [string, string][] = [
    ["report made", generated],
    ["neco-webgpu", version],
  ];
  if (config === null) {
    const rows = ood === null ? [] : [["adapter", ood.adapter] as const, ...flatten(ood.config)];
    return html`${factTable("Evaluation", [...made, ...rows])}${credits.length > 0 ? creditList(credits) : null}`;
  }
  const host: [string, string][] = [
    ["run started", config.created],
    ["run by neco-webgpu", config.version],
    ["adapter", `${config.adapter.description} (${config.adapter.kind})`],
    ["seed", String(config.seed)],
    ...Object.entries(config.versions),
  ];
  return html`${factTable("Versions, adapter and seed", [...made, ...host])}
  ${factTable("Data", datasetRows(config))} ${factTable("Model", flatten(config.model))}
  ${factTable("Recipe", flatten(config.recipe))}
  ${config.notes === undefined ? null : factTable("Notes", flatten(config.notes))}
  ${ood === null ? null : factTable("Evaluation", [["adapter", ood.adapter], ...flatten(ood.config)])}
  ${credits.length > 0 ? creditList(credits) : null}`;
}
