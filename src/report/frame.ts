/** The frame of a page: head, style, navigation and sections in one file without scripts. */
import { html, trusted, type Markup } from "./html.ts";
import { STYLE } from "./style.ts";

/** A part of a page that the navigation leads to. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

/** What stands in the frame. */
export interface Frame {
  readonly title: string;
  /** A soft line below the title: by what it was made, and when. */
  readonly made: string;
  /** What one should see before any section. */
  readonly lead: Markup;
  readonly sections: readonly Section[];
}

/** Figures side by side, as many as fit. */
export const grid = (figures: readonly Markup[]): Markup | null =>
  figures.length > 0 ? html`<div class="plots">${figures}</div>` : null;

const sectionMarkup = ({ id, title, body }: Section): Markup =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${body}
  </section> `;

/** The page as one HTML file: inline style and SVG, no script, no other file. */
export const renderFrame = ({ title, made, lead, sections }: Frame): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${trusted(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="soft">${made}</p>
          <nav aria-label="Sections">
            <ul>
              ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main>${lead} ${sections.map(sectionMarkup)}</main>
        <footer><p>One file, no script: it prints, and it opens without a network.</p></footer>
      </body>
    </html> `.markup;
