/** What --only and --peers ask for: regular expressions, or names and globs as `npm run bench` takes them. */
import { UsageError } from "../../src/util/errors.ts";
import { keepRows, patternsOf } from "../rows/row.ts";

/** Something with a name. */
interface Named {
  readonly name: string;
}

/** What an expression matches anywhere in a name; null if the text is no expression. */
function byExpression<T extends Named>(all: readonly T[], source: string): T[] | null {
  let expression: RegExp;
  try {
    expression = new RegExp(source);
  } catch {
    return null;
  }
  return all.filter(({ name }) => expression.test(name));
}

/** What names (or their beginnings) and globs match, with commas between them; each has to match. */
function byList<T extends Named>(all: readonly T[], list: string): T[] {
  const rows = all.map((one) => ({ name: one.name, shape: "", variant: "", one }));
  const parts = patternsOf(list).map((pattern) => (pattern === "" ? [] : keepRows(rows, pattern)));
  if (parts.some((part) => part.length === 0)) return [];
  const kept = new Set(parts.flat());
  return rows.filter((row) => kept.has(row)).map(({ one }) => one);
}

/**
 * Those that a text asks for. It is an expression first; one that is invalid or matches nothing is
 * read as a list, so that no text means another thing than it did as an expression. Perhaps none.
 * @throws UsageError for an invalid expression that is no list of known names either.
 */
export function choose<T extends Named>(option: string, source: string, all: readonly T[]): T[] {
  const matched = byExpression(all, source);
  if (matched && matched.length > 0) return matched;
  const listed = byList(all, source);
  if (listed.length === 0 && (matched === null || patternsOf(source).length > 1))
    throw new UsageError(
      `--${option} ${source} is no regular expression, and no list of names or globs, that matches; there are ${all.map(({ name }) => name).join(", ")}`,
    );
  return listed;
}
