/** JSON as this program writes it: a value a line, lists of numbers on one. */

const NUMBER = String.raw`(?:null|-?[\d.eE+-]+)`;
// Text in quotes holds no line break, so nothing in it can match.
const LISTS = new RegExp(String.raw`\[\n\s*(${NUMBER}(?:,\n\s*${NUMBER})*)\n\s*\]`, "g");

/** The value's text with a last line break. */
export const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(LISTS, (_, list: string) => `[${list.replace(/\n\s*/g, " ")}]`)}\n`;
