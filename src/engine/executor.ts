/** What carries out resolved passes: eager execution, or a capture that only records them. */
import type { Access, Binding, Caps, Pass } from "../kernels/op.ts";
import { LimitError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { Storage, Tensor } from "./tensor.ts";

/** A binding with its memory. */
export interface ResolvedBinding {
  readonly storage: Storage;
  readonly offset: number;
  readonly size: number;
  readonly access: Access;
}

/** A pass whose slots are known. */
export interface ResolvedPass {
  readonly pass: Pass;
  readonly bindings: readonly ResolvedBinding[];
}

/** Carries out work in order. */
export interface Executor {
  /** Memory with undefined content. */
  allocate(bytes: number, label: string): Storage;
  enqueue(resolved: ResolvedPass): void;
  /** target ← source, byte by byte. */
  copy(source: Tensor, target: Tensor): void;
}

/** Where a pass's slots find their tensors. */
export interface SlotTensors {
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly temps: readonly Tensor[];
}

function tensorOf({ slot }: Binding, { inputs, outputs, temps }: SlotTensors): Tensor {
  const index = Number(slot.replace(/^\D+/, ""));
  const list = slot.startsWith("in") ? inputs : slot.startsWith("out") ? outputs : temps;
  const tensor = at(list, index);
  if (!tensor) throw new RangeError(`slot ${slot} is bound but absent`);
  return tensor;
}

/**
 * Puts tensors into a pass's slots.
 * @throws LimitError if one is larger than a binding may be, or if there are too many.
 */
export function resolvePass(
  pass: Pass,
  slots: SlotTensors,
  { maxBindingBytes, maxStorageBuffers }: Pick<Caps, "maxBindingBytes" | "maxStorageBuffers">,
): ResolvedPass {
  const buffers = pass.bindings.filter(({ access }) => access !== "uniform").length;
  if (buffers > maxStorageBuffers)
    throw new LimitError(
      `${pass.label}: binds ${buffers} storage buffers, this adapter allows ${maxStorageBuffers}; use another adapter`,
    );
  const bindings = pass.bindings.map((binding): ResolvedBinding => {
    const { storage, offset, bytes } = tensorOf(binding, slots);
    if (bytes > maxBindingBytes)
      throw new LimitError(
        `${pass.label}: ${binding.slot} takes ${bytes} bytes, a binding at most ${maxBindingBytes}; use a smaller batch`,
      );
    return { storage, offset, size: Math.max(4, bytes), access: binding.access };
  });
  return { pass, bindings };
}

/** Bytes that the params of a pass take in its uniform slot. */
export function writeParams(pass: Pass, view: DataView, offset: number): void {
  pass.params.forEach((param, index) => {
    const where = offset + 4 * index;
    if ("u32" in param) view.setUint32(where, param.u32, true);
    else if ("i32" in param) view.setInt32(where, param.i32, true);
    else view.setFloat32(where, param.f32, true);
  });
}

/** Bytes of the params uniform of a pass, padded as WGSL pads a struct in uniform memory. */
export const paramBytes = (pass: Pass): number => Math.ceil(pass.params.length / 4) * 16;

/** What a binding is to a layout; params lie at an offset that is told when they are bound. */
export type BindingKind = Access | "params";

/** Kinds of all bindings, params last. */
export const bindingKinds = (pass: Pass): BindingKind[] => [
  ...pass.bindings.map(({ access }) => access),
  ...(pass.params.length > 0 ? (["params"] as const) : []),
];
