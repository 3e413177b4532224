/** Parsers of option values: each says in one line what it wanted. */
import { InvalidArgumentError } from "commander";
import { isPickleName, pickleError } from "../io/index.ts";
import { UsageError } from "../util/errors.ts";

/** What a number option accepts. */
export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

/** A parser of numbers in a range. */
export function numberIn({ min = -Infinity, max = Infinity, integer = false }: NumberRange) {
  return (text: string): number => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const kind = integer ? "a whole number" : "a number";
    if (!Number.isFinite(value) || (integer && !Number.isInteger(value)))
      throw new InvalidArgumentError(`It must be ${kind}, not "${text}".`);
    if (value < min || value > max)
      throw new InvalidArgumentError(
        `It must be ${kind} ${Number.isFinite(max) ? `from ${min} to ${max}` : `of at least ${min}`}, not ${text}.`,
      );
    return value;
  };
}

/** Counts: 1, 2, 3 … */
export const positive = numberIn({ min: 1, integer: true });

/** 0, 1, 2 … */
export const natural = numberIn({ min: 0, integer: true });

/** Any number that is not negative. */
export const nonNegative = numberIn({ min: 0 });

/** A list by commas, without empty parts. */
export const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Collects a repeatable option; each use may hold several, by commas. */
export const collect = (text: string, previous: readonly string[] = []): string[] => [
  ...previous,
  ...list(text),
];

/** Collects a repeatable option whose values may hold commas. */
export const append = (text: string, previous: readonly string[] = []): string[] => [
  ...previous,
  text,
];

/** One of a closed set. */
export function oneOf<const T extends string>(...choices: readonly T[]) {
  return (text: string): T => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined)
      throw new InvalidArgumentError(`Use one of ${choices.join(", ")}, not "${text}".`);
    return found;
  };
}

/** A name with what it stands for: a feature file, a data set, or (null) the data set of that name. */
export interface NamedFile {
  readonly name: string;
  readonly file: string | null;
}

/** Whether a path is a feature file by its ending; else it is a data set. */
export const isFeatureFile = (path: string): boolean => /\.(npz|npy|safetensors|csv)$/i.test(path);

/** Whether a named set is a data set, whose features a run extracts. */
export const isDataset = ({ file }: NamedFile): boolean => file === null || !isFeatureFile(file);

/** Names by commas, at least one. */
export function nonEmptyList(text: string): string[] {
  const names = list(text);
  if (names.length === 0) throw new InvalidArgumentError(`It must name at least one.`);
  return names;
}

/**
 * `NAME=FILE`, `NAME=DATASET`, or `NAME` alone (a data set by name).
 * @throws UsageError if the name is empty.
 * @throws FormatError if the file is pickled.
 */
export function namedFile(text: string): NamedFile {
  const split = text.indexOf("=");
  if (split === 0 || text.trim() === "")
    throw new UsageError(`the set "${text}" has no name: write NAME=FILE`);
  if (isPickleName(text)) throw pickleError(text.slice(split + 1));
  return split < 0
    ? { name: text, file: null }
    : { name: text.slice(0, split), file: text.slice(split + 1) };
}

/** `i/n`, counted from 0. */
export function shard(text: string): { index: number; count: number } {
  const [index = Number.NaN, count = Number.NaN] = text.split("/").map(Number);
  if (!Number.isInteger(index) || !Number.isInteger(count) || index < 0 || index >= count)
    throw new InvalidArgumentError(`It must be i/n with 0 ≤ i < n, such as 0/4, not "${text}".`);
  return { index, count };
}
