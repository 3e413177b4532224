/** Takes out of shaders, as they are bundled, what only readers need: they have the source. */
import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/** A space beside one operator or bracket; not beside two, which would run together, or a hole. */
const IDLE_SPACE = /(?<=[\w)\]]) (?=[^\w\s$#`"'}])|(?<=[^\w\s)\]}`"'#]) (?=[\w(])/g;

/** Lines that stand by themselves: directives, holes and comments. */
const STANDS_ALONE = /^(?:[#$`*]|\/\*)/;

/** Whether a line goes on in the next one, in TypeScript and in WGSL alike. */
const goesOn = (line: string, next: string | undefined): boolean =>
  next !== undefined &&
  /[;,({}]$/.test(line) &&
  !STANDS_ALONE.test(line) &&
  !STANDS_ALONE.test(next);

/**
 * The text of a shader module without what compilers skip. Shaders hold no strings with "//", so
 * that what follows one is a comment, in TypeScript and in WGSL alike.
 */
export const slim = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.replace(/\/\/.*$/, "").trim())
    .filter((line) => line !== "")
    .map((line) =>
      line.startsWith("*") || line.startsWith("/*") ? line : line.replace(IDLE_SPACE, ""),
    )
    .map((line, index, lines) => (goesOn(line, lines[index + 1]) ? line : `${line}\n`))
    .join("");

/** For every bundle that pages load. */
export const slimShaders: Plugin = {
  name: "slim-shaders",
  setup(build) {
    build.onLoad({ filter: /\.wgsl\.ts$/ }, async ({ path }) => ({
      contents: slim(await readFile(path, "utf8")),
      loader: "ts",
    }));
  },
};
