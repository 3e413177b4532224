/** Which variant serves a call, where somebody measured it or asked for it by name. */
import type { Meta } from "../util/shape.ts";
import type { Attrs, Caps, InputMetas, OpDef } from "./op.ts";

/**
 * Variants by op name, for all of its calls, or by {@link pickKey}, for calls of about one size.
 * What is not in it gets the static pick of the adapter's class.
 */
export type Picks = Readonly<Record<string, string>>;

/** The next power of two: 197 and 256 share a pick, 257 does not. */
const bucket = (size: number): number => (size <= 1 ? size : 2 ** Math.ceil(Math.log2(size)));

/** Attributes that change which numbers are drawn, not how much work a call is. */
const DRAWS: ReadonlySet<string> = new Set(["rate", "stream"]);

/** Kernels of f16 operands are others than those of f32, which the key leaves out. */
const nameOf = ({ shape, dtype }: Meta): string =>
  shape.map(bucket).join("x") + (dtype === "f16" ? ":f16" : "");

/** Names calls that share a pick: `matmul 256x1024:f16 1024x4096:f16 – transposeB=true`. */
export function pickKey(op: OpDef, inputs: InputMetas, attrs: Attrs): string {
  const operands = inputs.map((input) => (input ? nameOf(input) : "–"));
  const own = Object.entries(attrs)
    .filter(([name, value]) => value !== op.defaults[name] && !DRAWS.has(name))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [op.name, ...operands, ...own].join(" ");
}

/** Variants of an op that can serve a call on an adapter. */
export const usableVariants = (op: OpDef, inputs: InputMetas, attrs: Attrs, caps: Caps): string[] =>
  Object.entries(op.variants).flatMap(([name, variant]) =>
    variant.usable(inputs, attrs, caps) ? [name] : [],
  );

/**
 * The variant that `picks` hold for a call. One by name is returned even where it cannot be used,
 * for an error to say so; one by size must be usable for this very call.
 */
export function heldPick(
  picks: Picks,
  op: OpDef,
  call: { readonly inputs: InputMetas; readonly attrs: Attrs; readonly caps: Caps },
): string | undefined {
  const byName = picks[op.name];
  if (byName !== undefined || Object.keys(op.variants).length < 2) return byName;
  const { inputs, attrs, caps } = call;
  const bySize = picks[pickKey(op, inputs, attrs)];
  return bySize !== undefined && op.variants[bySize]?.usable(inputs, attrs, caps)
    ? bySize
    : undefined;
}
