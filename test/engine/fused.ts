/** Runs one body fused and unfused, and holds the results against each other and against float64. */
import { expect } from "vitest";
import { program } from "../../src/engine/index.ts";
import type { Engine, InputTensors, Ops, Tensor } from "../../src/engine/index.ts";
import { array64 } from "../../src/kernels/case.ts";
import type { Array64, OpCases } from "../../src/kernels/case.ts";
import { cases } from "../../src/kernels/cases.ts";
import { table } from "../../src/kernels/index.ts";
import type { OpName } from "../../src/kernels/index.ts";
import type { Attrs } from "../../src/kernels/op.ts";
import { at, sizeOf } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import { uniform } from "../../bench/workloads.ts";

/** The same operations in the same order; WGSL lets compilers contract a · b + c across stages. */
const TOLERANCE = 4e-6;

/** What is recorded, on inputs of which shapes. */
export interface FusedSample<K extends string> {
  readonly shapes: Readonly<Record<K, Shape>>;
  readonly body: (ops: Ops, x: InputTensors<K>) => Tensor[];
  /** What the body should return, in float64; by {@link oracle}. */
  readonly reference?: (x: Readonly<Record<K, Array64>>) => Array64[];
  /** Passes with and without fusion. */
  readonly passes: readonly [number, number];
}

/** An op's own float64 reference: its first output. */
export function oracle(name: OpName, inputs: readonly (Array64 | null)[], attrs?: Attrs): Array64 {
  const known: OpCases = cases[name];
  return at(known.reference(inputs, { ...table[name].defaults, ...attrs }), 0);
}

type Hosts<K extends string> = Record<K, { values: Float32Array; shape: Shape }>;

const hostsOf = <K extends string>({ shapes }: FusedSample<K>): Hosts<K> =>
  Object.fromEntries(
    Object.entries<Shape>(shapes).map(([name, shape], index) => [
      name,
      { values: uniform(sizeOf(shape), index + 3, 2), shape },
    ]),
  ) as Hosts<K>; // the names of the shapes

async function outputs<K extends string>(
  engine: Engine,
  sample: FusedSample<K>,
  fuse: boolean,
): Promise<ArrayLike<number>[]> {
  const compiled = program(engine, (x: InputTensors<K>) => sample.body(engine.ops, x), { fuse });
  const tensors = await compiled.run(hostsOf(sample));
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  expect(compiled.stats?.passes).toBe(sample.passes[fuse ? 0 : 1]);
  compiled.dispose();
  return values;
}

/** Holds every output to 4e-6 of its largest value. */
function compare(
  got: readonly ArrayLike<number>[],
  wanted: readonly ArrayLike<number>[],
  side: string,
): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((values, index) => {
    const expected = Array.from(at(wanted, index));
    const largest = Math.max(...expected.map(Math.abs));
    const worst = Math.max(...expected.map((value, k) => Math.abs(value - at(values, k))));
    expect(values, side).toHaveLength(expected.length);
    expect(worst, `output ${index} against ${side}`).toBeLessThanOrEqual(TOLERANCE * largest);
  });
}

/** Checks a fused program: its passes, its values against the unfused ones, and against float64. */
export async function checkFused<K extends string>(
  engine: Engine,
  sample: FusedSample<K>,
): Promise<void> {
  const fused = await outputs(engine, sample, true);
  compare(fused, await outputs(engine, sample, false), "unfused");
  if (!sample.reference) return;
  const inputs = Object.fromEntries(
    Object.entries<{ values: Float32Array; shape: Shape }>(hostsOf(sample)).map(
      ([name, { values, shape }]) => [name, array64(shape, values)],
    ),
  ) as Record<K, Array64>; // the names of the shapes
  const references = sample.reference(inputs).map(({ data }) => data);
  compare(fused, references, "float64");
}
