/** Colours: Spectral for classes (its pale middle darkened to be told apart on white), lines for series. */
import { at } from "../util/shape.ts";

const SPECTRAL = [
  "#9e0142",
  "#d53e4f",
  "#f46d43",
  "#f9a13b",
  "#e0c01f",
  "#b5cf3a",
  "#6cbf62",
  "#37a79b",
  "#3288bd",
  "#5e4fa2",
] as const;

const SERIES = [
  "#1f6fb4",
  "#d1495b",
  "#2f9e6e",
  "#e08e1b",
  "#7b52ab",
  "#8a6d3b",
  "#c257a0",
  "#5f7d8c",
  "#9aa31f",
  "#17a2b8",
] as const;

/** Dash patterns that keep lines apart in print without colour. */
const DASHES = ["none", "6 3", "2 3", "8 3 2 3", "4 2"] as const;

const channels = (colour: string): number[] =>
  [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));

function blend(from: string, to: string, share: number): string {
  const target = channels(to);
  const mixed = channels(from).map((value, index) =>
    Math.round(value + (at(target, index) - value) * share),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** One colour per class, spread over the whole spectrum. */
export function classColours(classes: number): string[] {
  return Array.from({ length: classes }, (_, index) => {
    const position = classes === 1 ? 0 : (index / (classes - 1)) * (SPECTRAL.length - 1);
    const low = Math.min(Math.floor(position), SPECTRAL.length - 2);
    return blend(at(SPECTRAL, low), at(SPECTRAL, low + 1), position - low);
  });
}

/** Colour of the series at an index; repeats after ten. */
export const seriesColour = (index: number): string => at(SERIES, index % SERIES.length);

/** Dash pattern of the series at an index, as `stroke-dasharray`. */
export const seriesDash = (index: number): string => at(DASHES, index % DASHES.length);
