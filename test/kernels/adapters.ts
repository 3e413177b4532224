/** Adapters that plans are made for, and ways to read a plan. */
import { pickVariant } from "../../src/kernels/op.ts";
import type { Attrs, Caps, InputMetas, OpDef, Plan } from "../../src/kernels/op.ts";
import { meta } from "../../src/util/shape.ts";

/** Mesa lavapipe on 2 cores. */
export const LAVAPIPE: Caps = {
  adapterClass: "cpu",
  maxWorkgroups: 65_535,
  maxBindingBytes: 2 ** 27,
  maxInvocations: 1_024,
  maxWorkgroupBytes: 32_768,
  maxStorageBuffers: 16,
  subgroupMin: 8,
  subgroupMax: 8,
  subgroupMatrices: [],
  features: new Set(["subgroups"]),
};
/** Without subgroups, at the least of limits. */
export const BARE: Caps = {
  ...LAVAPIPE,
  maxInvocations: 256,
  maxWorkgroupBytes: 16_384,
  subgroupMin: 0,
  subgroupMax: 0,
  features: new Set<string>(),
};
/** A large GPU. */
export const GPU: Caps = { ...LAVAPIPE, adapterClass: "gpu", subgroupMin: 32, subgroupMax: 32 };

/** Metas of f32 operands; null: absent. */
export const shapes = (...list: (readonly number[] | null)[]): InputMetas =>
  list.map((shape) => shape && meta(shape));

/** The plan of the variant that the adapter gets, or of another. */
export function planOf<A extends Attrs>(
  op: OpDef<A>,
  inputs: InputMetas,
  attrs: A,
  caps: Caps,
  wanted?: string,
): Plan {
  const plan = op.variants[pickVariant(op, inputs, attrs, caps, wanted)]?.plan(inputs, attrs, caps);
  if (!plan) throw new RangeError(`${op.name}: no such variant`);
  return plan;
}

/** Bytes of a shader's workgroup arrays. */
export function workgroupBytes(code: string): number {
  const sizes = { f32: 4, u32: 4, vec4f: 16 };
  return [...code.matchAll(/var<workgroup> \w+: array<(f32|u32|vec4f), (\d+)>/g)].reduce(
    (sum, [, type, count]) => sum + sizes[type as keyof typeof sizes] * Number(count),
    0,
  );
}
