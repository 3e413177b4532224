/** HTML as values: a tag that escapes every hole unless it is markup already. */

/** Text that is safe to write into a page. */
export interface Markup {
  readonly markup: string;
}

/** What a hole of {@link html} takes; null prints nothing. */
export type Hole = string | number | null | Markup | readonly Markup[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The text with the five special characters written as entities. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

/** Marks text as markup; only for text that this project made itself. */
export const trusted = (markup: string): Markup => ({ markup });

const isMarkup = (hole: Markup | readonly Markup[]): hole is Markup => "markup" in hole;

function fill(hole: Hole): string {
  if (hole === null) return "";
  if (typeof hole === "string") return escapeHtml(hole);
  if (typeof hole === "number") return String(hole);
  if (isMarkup(hole)) return hole.markup;
  return hole.map(({ markup }) => markup).join("");
}

/** Builds markup from a template: html`<td>${name}</td>`. */
export const html = (strings: TemplateStringsArray, ...holes: readonly Hole[]): Markup =>
  trusted(strings.reduce((text, part, index) => text + fill(holes[index - 1] ?? null) + part));
