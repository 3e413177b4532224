/** The op table as functions on tensors, typed from the records. */
import { table } from "../kernels/index.ts";
import type { OpName } from "../kernels/index.ts";
import type { Attrs, OpDef } from "../kernels/op.ts";
import { Tensor } from "./tensor.ts";

type Arguments<I extends readonly string[]> = I extends readonly [
  infer First extends string,
  ...infer Rest extends readonly string[],
]
  ? First extends `${string}?`
    ? [input?: Tensor | null, ...rest: Arguments<Rest>]
    : [input: Tensor, ...rest: Arguments<Rest>]
  : [];

type Result<O extends readonly string[]> = O extends readonly [string]
  ? Tensor
  : O extends readonly []
    ? undefined
    : { readonly [K in keyof O]: Tensor };

/** An op as a function: inputs in the record's order, then attributes. */
export type OpFunction<Op> =
  Op extends OpDef<infer A, infer I, infer O>
    ? (...args: [...Arguments<I>, attrs?: Partial<A>]) => Result<O>
    : never;

/** All ops of the table as functions. */
export type Ops = { readonly [Name in OpName]: OpFunction<(typeof table)[Name]> };

/** Runs one op record; what the engine provides. */
export type RunOp = (
  op: OpDef,
  inputs: readonly (Tensor | null)[],
  attrs: Attrs,
) => readonly Tensor[];

type Loose = (...args: (Tensor | Attrs | null | undefined)[]) => unknown;

const isAttrs = (value: unknown): value is Attrs =>
  typeof value === "object" && value !== null && !(value instanceof Tensor);

function bind(op: OpDef, run: RunOp): Loose {
  return (...args) => {
    const inputs = op.inputs.map((name, index) => {
      const input = args[index] ?? null;
      if (input instanceof Tensor) return input;
      if (input === null && name.endsWith("?")) return null;
      throw new TypeError(`${op.name}: input ${index} (${name}) must be a tensor`);
    });
    const attrs: unknown = args[op.inputs.length];
    const given = isAttrs(attrs) ? attrs : {};
    const outputs = run(op, inputs, { ...op.defaults, ...given }).slice(0, op.outputs.length);
    return outputs.length === 1 ? outputs[0] : outputs;
  };
}

/** The functions of every op, running through `run`. */
export function bindOps(run: RunOp): Ops {
  const bound = Object.entries(table).map(([name, op]) => [name, bind(op as OpDef, run)]);
  // The loop loses each op's own types; `Ops` states them again, from the same table.
  return Object.fromEntries(bound) as Ops;
}
