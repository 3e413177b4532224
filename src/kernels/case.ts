/** What an op's cases file states: float64 reference, samples, errors, tolerance, bench rows. */
import { sizeOf } from "../util/shape.ts";
import type { DType, Shape } from "../util/shape.ts";
import type { Caps } from "./op.ts";

/** A float64 array with a shape: what references compute on. */
export interface Array64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Makes an {@link Array64}, zeros unless values are given. */
export const array64 = (shape: Shape, values?: ArrayLike<number>): Array64 => ({
  shape,
  data: values ? Float64Array.from(values) : new Float64Array(sizeOf(shape)),
});

/** One input of a sample: a shape filled with seeded uniform numbers in `range`, or given values. */
export interface InputSpec {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Range of the random values, default [−1, 1]; whole numbers for integer dtypes. */
  readonly range?: readonly [number, number];
  readonly values?: readonly number[];
}

/** One call of the op; a null input is an absent optional one. */
export interface Sample {
  readonly inputs: readonly (InputSpec | null)[];
  readonly attrs?: Readonly<Record<string, unknown>>;
  /** False where the gradient is not defined at the sample (kinks) or is tested elsewhere. */
  readonly gradient?: boolean;
}

/** A call that must throw. */
export interface ErrorSample {
  readonly inputs: readonly (InputSpec | null)[];
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly throws: RegExp;
}

/** |Δ| ≤ abs + rel·scale, where scale is Σ|terms| (see {@link OpCases.scale}) or |reference|. */
export interface Tolerance {
  readonly rel: number;
  readonly abs: number;
  readonly why: string;
}

/** A row of the bench: inputs, with operations and bytes counted by the plan. */
export interface BenchRow {
  readonly inputs: readonly (InputSpec | null)[];
  readonly attrs?: Readonly<Record<string, unknown>>;
  /** The adapters worth it, where the others would take minutes. */
  readonly only?: Caps["adapterClass"];
}

/** The oracle of an op; `Record<OpName, OpCases>` makes a missing one a compile error. */
export interface OpCases {
  /** Plain float64 loops, outputs first, then saves (saves may be left out). */
  reference(
    inputs: readonly (Array64 | null)[],
    attrs: Readonly<Record<string, unknown>>,
  ): readonly Array64[];
  /** Σ|terms| of each output element, where it differs from |reference|. */
  scale?(
    inputs: readonly (Array64 | null)[],
    attrs: Readonly<Record<string, unknown>>,
  ): readonly Array64[];
  readonly samples: readonly Sample[];
  /** Forward only: large, small and equal values. */
  readonly extremes?: readonly Sample[];
  readonly errors?: readonly ErrorSample[];
  readonly tolerance: Tolerance;
  /** Default: ‖Δ‖ ≤ 1e-4·‖reference gradient‖ per tensor. */
  readonly gradTolerance?: number;
  readonly bench?: readonly BenchRow[];
}
