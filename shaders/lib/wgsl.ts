/** The one door to wgsl-preprocessor: the same tag, but strict about what stands in a hole. */
import { wgsl as preprocess } from "wgsl-preprocessor/wgsl-preprocessor.js";

/** What a hole may hold; anything else would print as `undefined` or `NaN` into the shader. */
export type Hole = string | boolean | number;

/** Texts kept of one template: more than any model has of one kernel. */
const MOST_KEPT = 256;

/** Texts by template, then by what stood in its holes. */
const known = new WeakMap<TemplateStringsArray, Map<string, string>>();

/**
 * Expands a WGSL template with `#if`/`#elif`/`#else`/`#endif` blocks. The text is made once for the
 * same holes: eager ops ask for theirs at every call, and expanding took longer than all else that
 * the host does for one.
 * @throws TypeError naming the hole that is not a string, boolean or finite number, or an `#if`
 * condition that is not a boolean (the preprocessor takes the string "false" for true).
 */
export function wgsl(strings: TemplateStringsArray, ...holes: Hole[]): string {
  const texts = known.get(strings) ?? new Map<string, string>();
  const key = keyOf(holes);
  const text = texts.get(key);
  if (text !== undefined) return text;
  if (texts.size === MOST_KEPT) texts.clear();
  const made = expand(strings, holes);
  known.set(strings, texts.set(key, made));
  return made;
}

/** Holes as one string; a boolean and its name differ, as they do in an `#if`. */
const keyOf = (holes: readonly Hole[]): string =>
  holes.map((hole) => `${(typeof hole)[0] ?? ""}${String(hole)}`).join("\0");

function expand(strings: TemplateStringsArray, holes: readonly Hole[]): string {
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
