/** The one door to wgsl-preprocessor: the same tag, but strict about what stands in a hole. */
import { wgsl as preprocess } from "wgsl-preprocessor/wgsl-preprocessor.js";

/** What a hole may hold; anything else would print as `undefined` or `NaN` into the shader. */
export type Hole = string | boolean | number;

/**
 * Expands a WGSL template with `#if`/`#elif`/`#else`/`#endif` blocks.
 * @throws TypeError naming the hole that is not a string, boolean or finite number, or an `#if`
 * condition that is not a boolean (the preprocessor takes the string "false" for true).
 */
export function wgsl(strings: TemplateStringsArray, ...holes: Hole[]): string {
  holes.forEach((hole, index) => {
    if (typeof hole === "number" && !Number.isFinite(hole))
      throw new TypeError(`wgsl: hole ${index} is ${hole}, not a finite number`);
    if (!["string", "boolean", "number"].includes(typeof hole))
      throw new TypeError(`wgsl: hole ${index} is ${typeof hole}; use string, boolean or number`);
    const before = strings[index] ?? "";
    if (/#(if|elif)\s*$/.test(before) && typeof hole !== "boolean")
      throw new TypeError(`wgsl: hole ${index} is the condition of an #if; use a boolean`);
  });
  return preprocess(strings, ...holes)
    .replace(/[ \t]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
    .concat("\n");
}
