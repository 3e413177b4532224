/** Parameters of scores: what each is by default, by preset, and which values a search tries. */
import { UsageError } from "../util/errors.ts";
import type { MethodParams, ParamValue, Preset, ScoreOptions } from "./options.ts";

/** What a grid may depend on. */
export interface Searched {
  /** Columns of the features. */
  readonly dim: number;
  readonly options: ScoreOptions;
}

/** One parameter of a score. */
export interface Parameter {
  readonly default: ParamValue;
  /** Where a preset's publication has another default. */
  readonly presets?: Partial<Readonly<Record<Preset, ParamValue>>>;
  /** What `--search` tries, in order; empty if it is not searched. */
  readonly grid: readonly ParamValue[] | ((of: Searched) => readonly ParamValue[]);
  /** Why a value will not do, or null. */
  complaint(value: ParamValue): string | null;
}

/** The parameters of a score by name. */
export type Parameters = Readonly<Record<string, Parameter>>;

type Widened<T> = T extends number ? number : T extends boolean ? boolean : string;

/** The values that a score's parameters take. */
export type Chosen<P extends Parameters> = {
  readonly [Name in keyof P]: Widened<P[Name]["default"]>;
};

/** What {@link numeric} takes beside the default. */
interface NumericRules {
  readonly min: number;
  readonly max?: number;
  readonly isInteger?: boolean;
  readonly presets?: Partial<Readonly<Record<Preset, number>>>;
  readonly grid?: readonly number[];
}

/** A number in [min, max]. */
export const numeric = (
  standard: number,
  { min, max = Infinity, isInteger = false, presets = {}, grid = [] }: NumericRules,
): Parameter & { readonly default: number } => ({
  default: standard,
  presets,
  grid,
  complaint: (value) =>
    typeof value === "number" &&
    value >= min &&
    value <= max &&
    (!isInteger || Number.isInteger(value))
      ? null
      : `must be a ${isInteger ? "whole " : ""}number ${max === Infinity ? `of at least ${min}` : `in [${min}, ${max}]`}`,
});

/** One of a few words, all of which a search tries. */
export const oneWord = (
  standard: string,
  others: readonly string[],
): Parameter & { readonly default: string } => ({
  default: standard,
  grid: [standard, ...others],
  complaint: (value) =>
    [standard, ...others].some((word) => word === value)
      ? null
      : `must be one of ${[standard, ...others].join(", ")}`,
});

/** The values of a method's parameters: given by hand, else by preset, else the default. */
export function chooseParameters<P extends Parameters>(
  method: string,
  parameters: P,
  { preset, methodParams }: ScoreOptions,
): Chosen<P> {
  const given = methodParams[method] ?? {};
  const chosen = Object.entries(parameters).map(([name, parameter]) => [
    name,
    given[name] ?? parameter.presets?.[preset] ?? parameter.default,
  ]);
  // Each value has passed its parameter's own check, which the loop cannot show the compiler.
  return Object.fromEntries(chosen) as Chosen<P>;
}

/**
 * Checks parameters given by hand against the methods that they are for.
 * @throws UsageError naming method, parameter and rule.
 */
export function assertParameters(
  methods: readonly { readonly name: string; readonly parameters?: Parameters }[],
  given: MethodParams,
): void {
  for (const { name, parameters = {} } of methods)
    for (const [parameter, value] of Object.entries(given[name] ?? {})) {
      const rule = parameters[parameter];
      if (!rule)
        throw new UsageError(
          `${name} has no parameter "${parameter}": ${Object.keys(parameters).join(", ") || "it has none"}`,
        );
      const complaint = rule.complaint(value);
      if (complaint !== null)
        throw new UsageError(`${name}.${parameter} ${complaint}; got ${value}`);
    }
}

/** Every combination of the values to search, the first parameter varying slowest. */
export function gridOf(
  parameters: Parameters,
  of: Searched,
): Readonly<Record<string, ParamValue>>[] {
  let combinations: Readonly<Record<string, ParamValue>>[] = [{}];
  for (const [name, { grid }] of Object.entries(parameters)) {
    const values = typeof grid === "function" ? grid(of) : grid;
    if (values.length > 0)
      combinations = combinations.flatMap((chosen) =>
        values.map((value) => ({ ...chosen, [name]: value })),
      );
  }
  return combinations;
}
