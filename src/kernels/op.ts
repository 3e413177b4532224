/** The op record: what an op is, as plain data. Pure: no GPU types, no tensors. */
import type { Epilogue, OperandKind } from "../../shaders/lib/epilogue.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { Meta } from "../util/shape.ts";
import type { GradOps } from "./grad-ops.ts";

/** A product that subgroups compute at once: m × k by k × n, of WGSL types such as f16. */
export interface SubgroupMatrix {
  readonly component: string;
  readonly result: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** What an adapter offers, as plain data, so that plans can be tested under made-up limits. */
export interface Caps {
  /** Software adapters want register tiles and no barriers; GPUs want workgroup tiles. */
  readonly adapterClass: "cpu" | "gpu";
  readonly maxWorkgroups: number;
  readonly maxBindingBytes: number;
  readonly maxInvocations: number;
  readonly maxWorkgroupBytes: number;
  readonly maxStorageBuffers: number;
  /** Smallest and largest subgroup size; 0 where the feature is missing. */
  readonly subgroupMin: number;
  readonly subgroupMax: number;
  /** Products on tensor cores or the like; none where the feature is missing. */
  readonly subgroupMatrices: readonly SubgroupMatrix[];
  readonly features: ReadonlySet<string>;
}

/** Where a binding's memory comes from: the op's inputs, its outputs (saves last) or its temps. */
export type Slot = `in${number}` | `out${number}` | `temp${number}`;

/** How a pass uses a slot; `uniform` suits small step scalars such as the learning rate. */
export type Access = "read" | "read_write" | "uniform";

/** One buffer binding of a pass. A null input of an optional argument is never bound. */
export interface Binding {
  readonly slot: Slot;
  readonly access: Access;
}

/** A word of the params uniform; the WGSL struct declares the same order and types. */
export type Param = { readonly u32: number } | { readonly f32: number } | { readonly i32: number };

/** An operand of a stage: how it lies beside the result, and how many elements it has. */
export interface StageOperand {
  readonly kind: OperandKind;
  readonly count: number;
  /** Stored as f16. */
  readonly isHalf?: boolean;
}

/**
 * What an elementwise pass does to one element, for other kernels to do at once (see fuse.ts).
 * Operand k is the pass's binding k; its last binding is the result.
 */
export interface Stage {
  readonly name: string;
  /** Elements of the result. */
  readonly count: number;
  readonly operands: readonly StageOperand[];
  /** Words that the function takes after its operands. */
  readonly words: readonly Param[];
  /** The result is stored as f16. */
  readonly isHalf?: boolean;
  /** The function takes the index of its Value last. */
  readonly isIndexed?: boolean;
  /** `fn NAME_stage(…: Value, …) -> Value` and what it calls; Value has `width` floats. */
  readonly blocks: (width: 1 | 4) => readonly string[];
}

/** Where the values of a kernel may go through stages on their way to memory. */
export interface Tail {
  /** The binding that each value is stored to, once, and its name in the shader. */
  readonly binding: number;
  readonly name: string;
  readonly count: number;
  /** Floats in one value. */
  readonly width: 1 | 4;
  /** The kernel's WGSL with an epilogue instead of a plain store. */
  readonly code: (epilogue: Epilogue) => string;
}

/** One dispatch, as data: `params`, when present, is bound after the last binding. */
export interface Pass {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  readonly params: readonly Param[];
  readonly grid: readonly [number, number, number];
  /** Floating-point operations and bytes moved, for the bench; counted, not measured. */
  readonly flops?: number;
  readonly bytes?: number;
  /** Set where the pass is elementwise and may join the kernel that made one of its operands. */
  readonly stage?: Stage;
  /** Set where elementwise passes may join this one. */
  readonly tail?: Tail;
  /** Costs little beside the memory of its results, as elementwise passes do. */
  readonly isCheap?: boolean;
}

/** A variant's plan: scratch tensors and the dispatches in order. */
export interface Plan {
  readonly temps: readonly Meta[];
  readonly passes: readonly Pass[];
}

/** Attributes of a call: plain data that decides shapes and code. */
export type Attrs = Readonly<Record<string, unknown>>;

/** Metas of the inputs; null where an optional input is absent. */
export type InputMetas = readonly (Meta | null)[];

/** One way to compute an op. */
export interface Variant<A> {
  usable(inputs: InputMetas, attrs: A, caps: Caps): boolean;
  plan(inputs: InputMetas, attrs: A, caps: Caps): Plan;
}

/** Variant names in the order to try: always the same, or by the sizes of the call. */
export type Preference<A> =
  readonly string[] | { order(inputs: InputMetas, attrs: A): readonly string[] };

/** What a gradient rule may look at. `needs[i]`: whether input i's gradient is wanted. */
export interface GradContext<V, A> {
  readonly inputs: readonly V[];
  readonly outputs: readonly V[];
  readonly saved: readonly V[];
  readonly attrs: A;
  readonly needs: readonly boolean[];
  readonly shapes: readonly Meta["shape"][];
  readonly dtypes: readonly Meta["dtype"][];
}

/** Cotangents of the outputs in, cotangents of the inputs out (null: none); all of them are f32. */
export type GradRule<A> = <V>(
  gs: readonly V[],
  context: GradContext<V, A>,
  ops: GradOps<V>,
) => readonly (V | null)[];

/** An op. `inputs` names end in "?" when optional; the first usable variant is the default pick. */
export interface OpDef<
  A extends Attrs = Attrs,
  I extends readonly string[] = readonly string[],
  O extends readonly string[] = readonly string[],
> {
  readonly name: string;
  readonly inputs: I;
  readonly outputs: O;
  /** Extra outputs kept for the backward; `infer` lists their metas after the outputs'. */
  readonly saves?: readonly string[];
  /** Inputs that may be f16; {@link inferMetas} refuses all others. */
  readonly halves?: readonly string[];
  readonly defaults: A;
  infer(inputs: InputMetas, attrs: A): readonly Meta[];
  readonly variants: Readonly<Record<string, Variant<A>>>;
  /** Variant order by adapter class where it differs from the declared one. */
  readonly prefer?: Readonly<Partial<Record<Caps["adapterClass"], Preference<A>>>>;
  /** The output is the input's memory under another shape; no passes. */
  readonly alias?: boolean;
  /** Inputs (by index) that the passes update in place; such ops are statements, not values. */
  readonly mutates?: readonly number[];
  readonly grad: GradRule<A> | null;
}

/** Types an op record; adds nothing at run time. */
export const defineOp = <
  A extends Attrs,
  const I extends readonly string[],
  const O extends readonly string[],
>(
  op: OpDef<A, I, O>,
): OpDef<A, I, O> => op;

/**
 * The meta of a required input.
 * @throws RangeError if it is absent.
 */
export function need(inputs: InputMetas, index: number): Meta {
  const input = inputs[index];
  if (!input) throw new RangeError(`input ${index} is required`);
  return input;
}

/**
 * Metas of the outputs and saves, by the op's own rule.
 * @throws ShapeError if an input is f16 where the op has no kernel for it, or as the rule says.
 */
export function inferMetas<A extends Attrs>(
  op: OpDef<A>,
  inputs: InputMetas,
  attrs: A,
): readonly Meta[] {
  inputs.forEach((input, index) => {
    const name = at(op.inputs, index).replace("?", "");
    if (input?.dtype === "f16" && !op.halves?.includes(name))
      throw new ShapeError(op.name, `${name} must not be f16; use cast`, { [name]: input.shape });
  });
  return op.infer(inputs, attrs);
}

/** The variant that `prefer` and `usable` choose, or the one asked for by name. */
export function pickVariant<A extends Attrs>(
  op: OpDef<A>,
  inputs: InputMetas,
  attrs: A,
  caps: Caps,
  wanted?: string,
): string {
  const names = Object.keys(op.variants);
  const preference = op.prefer?.[caps.adapterClass] ?? [];
  const preferred = "order" in preference ? preference.order(inputs, attrs) : preference;
  const order = wanted ? [wanted] : [...preferred, ...names];
  const found = order.find((name) => op.variants[name]?.usable(inputs, attrs, caps));
  if (found === undefined)
    throw new RangeError(`${op.name}: no usable variant among ${order.join(", ")}`);
  return found;
}
