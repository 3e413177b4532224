/** Checks on parsed JSON that the compiler cannot make. */

/** A JSON object. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON object of strings. */
export const isStringRecord = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((entry) => typeof entry === "string");

/** A key that the outermost object of this (valid) JSON holds twice, or null; JSON.parse drops one silently. */
export function hasDuplicateKey(text: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs)) {
    const [token, isKey] = match;
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && isKey !== undefined) {
      if (seen.has(token)) return token.slice(1, token.lastIndexOf('"'));
      seen.add(token);
    }
  }
  return null;
}
