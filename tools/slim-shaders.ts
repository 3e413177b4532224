/** Takes out of shaders, as they are bundled, what only readers need: they have the source. */
import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/** A space beside one operator or bracket; not beside two, which would run together, or a hole. */
const IDLE_SPACE = /(?<=[\w)\]]) (?=[^\w\s$#`"'}])|(?<=[^\w\s)\]}`"'#]) (?=[\w(])/g;

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
    .join("\n");

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
