/** What the bench measures, one row at a time. */
import type { Engine, PassTime } from "../../src/engine/index.ts";
import { UsageError } from "../../src/util/errors.ts";
import type { DType } from "../../src/util/shape.ts";
import type { Timed } from "../measure.ts";
import type { Cost } from "../roofline.ts";

/** Facts for the JSON beside the times. */
export type Facts = Readonly<Record<string, unknown>>;

/** Something to time: set up, but nothing compiled or run yet. */
export interface Prepared extends Timed {
  /** Counted from plans, known after the first run. */
  cost(): Cost;
  /** Read after timing. */
  facts?(): Promise<Facts> | Facts;
  /** Time of every pass. */
  profile?(): Promise<PassTime[]>;
}

/** A row of the bench; nothing is allocated before `prepare`. */
export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly variant: string;
  /** What most of its bytes are, f32 unless told. */
  readonly dtype?: DType;
  /** An op of the table, or something that people wait for. */
  readonly kind: "op" | "workload";
  /** What the engine takes unless told otherwise; the other variants are held against it. */
  readonly picked: boolean;
  prepare(engine: Engine): Promise<Prepared> | Prepared;
}

/** What tells rows apart. */
export type RowName = Pick<Row, "name" | "shape" | "variant">;

/** How a row is named on the command line and matched with an older run's. */
export const keyOf = ({ name, shape, variant }: RowName): string => `${name} ${shape} ${variant}`;

/** Rows of the same work, by what they have in common: they differ in the variant. */
export function groupsOf<T extends RowName>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf({ ...row, variant: "" }).trimEnd();
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}

/** A pattern without * or ?: the rows of that name or, if there are none, those that begin so. */
function byPrefix<T extends RowName>(rows: readonly T[], pattern: string): readonly T[] {
  const named = rows.filter(({ name }) => name === pattern);
  return named.length > 0 ? named : rows.filter((row) => keyOf(row).startsWith(pattern));
}

/** With * (any characters) or ? (one): the rows whose name, or name, shape and variant, match. */
function byGlob<T extends RowName>(rows: readonly T[], pattern: string): readonly T[] {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const expression = new RegExp(`^${source}$`);
  return rows.filter((row) => expression.test(row.name) || expression.test(keyOf(row)));
}

/** The patterns of a list with commas, those within [a, shape] aside. */
export const patternsOf = (list: string): string[] => list.split(/,(?![^[]*\])/);

/** An empty pattern, as a comma at the end leaves, matches nothing: it would begin every row. */
const matching = <T extends RowName>(rows: readonly T[], pattern: string): readonly T[] =>
  pattern === "" ? [] : /[*?]/.test(pattern) ? byGlob(rows, pattern) : byPrefix(rows, pattern);

/** The rows that a list of patterns with commas asks for, in the rows' order; perhaps none. */
export function keepRows<T extends RowName>(rows: readonly T[], patterns: string): T[] {
  const kept = new Set(patternsOf(patterns).flatMap((pattern) => matching(rows, pattern)));
  return rows.filter((row) => kept.has(row));
}

/**
 * The same where every pattern has to match.
 * @throws UsageError if one matches nothing.
 */
export function chooseRows<T extends RowName>(rows: readonly T[], patterns: string): T[] {
  for (const pattern of patternsOf(patterns))
    if (matching(rows, pattern).length === 0)
      throw new UsageError(
        `--only ${pattern || "(nothing)"} matches no row: see --list for their names`,
      );
  return keepRows(rows, patterns);
}
