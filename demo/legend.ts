/** The colours of the cloud, explained. */
import { byId, textElement } from "./dom.ts";

const BLACK = "#000000";

/** One entry per known class, and one for all that is held out. */
export function showLegend(
  classes: readonly string[],
  colours: readonly string[],
  heldOut: readonly string[],
): void {
  const entry = (name: string, colour: string): HTMLElement => {
    const item = textElement("li", name);
    const swatch = document.createElement("i");
    swatch.style.background = colour;
    item.prepend(swatch);
    return item;
  };
  byId("legend", HTMLElement).replaceChildren(
    ...classes.map((name, index) => entry(name, colours[index] ?? BLACK)),
    entry(`held out: ${heldOut.join(", ")}`, BLACK),
  );
}

/** How much of the variance the three axes show. */
export function showExplained(explained: readonly number[], step: number): void {
  const shares = explained.map((share, axis) => `PC${axis + 1} ${Math.round(100 * share)} %`);
  byId("cloud-note", HTMLElement).textContent =
    `Step ${step}: ${shares.join(", ")} of the variance. Drag to turn, scroll or pinch to zoom.`;
}
