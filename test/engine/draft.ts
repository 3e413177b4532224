/** Records ops without a GPU, for tests of what becomes of the passes. */
import { Recorder } from "../../src/engine/capture.ts";
import type { RecordedStep } from "../../src/engine/capture.ts";
import { resolvePass } from "../../src/engine/executor.ts";
import { Storage, Tensor } from "../../src/engine/tensor.ts";
import type { TensorReader } from "../../src/engine/tensor.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import type { OpDef } from "../../src/kernels/op.ts";
import { at, bytesOf, meta } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import { goldenCaps } from "../../tools/expanded.ts";

const SHAPE = [8, 8] as const;
/** Recorded tensors have nothing to read. */
export const reader: TensorReader = {
  read: () => Promise.reject(new Error("recorded tensors have no bytes")),
};

/** A program under construction: ops on recorded tensors. */
export class Draft {
  readonly recorder = new Recorder();
  readonly pinned = new Set<number>();

  /** Memory outside of the program. */
  real(shape: Shape = SHAPE): Tensor {
    const place = { bytes: bytesOf(meta(shape)), label: "real", buffer: null };
    return new Tensor(reader, meta(shape), new Storage(place, () => undefined));
  }

  /** The first output of an op, or the input that it changes. */
  run(op: unknown, ...inputs: Tensor[]): Tensor {
    const def = op as OpDef; // each op's own attributes are forgotten here
    const metas = def.infer(inputs, def.defaults);
    const outputs = metas.map(
      (of) => new Tensor(reader, of, this.recorder.allocate(bytesOf(of), def.name)),
    );
    const variant = pickVariant(def, inputs, def.defaults, goldenCaps);
    const plan = def.variants[variant]?.plan(inputs, def.defaults, goldenCaps);
    const temps = (plan?.temps ?? []).map(
      (of) => new Tensor(reader, of, this.recorder.allocate(bytesOf(of), "temp")),
    );
    for (const pass of plan?.passes ?? [])
      this.recorder.enqueue(resolvePass(pass, { inputs, outputs, temps }, goldenCaps));
    return outputs[0] ?? at(inputs, 0);
  }

  /** Returns the tensor from the program. */
  pin(tensor: Tensor): void {
    this.pinned.add(tensor.storage.virtual);
  }

  /** target ← value. */
  assign(target: Tensor, value: Tensor): void {
    this.recorder.copy(value, target);
  }
}

/** What the steps do, without shapes. */
export const labelsOf = (steps: readonly RecordedStep[]): string[] =>
  steps.map((step) =>
    step.kind === "copy"
      ? "copy"
      : step.resolved.pass.label.replace(/ (\w+ )?\[[^+]*\]/g, "").replace(/ over \d+/, ""),
  );

/** The virtual storage that the last step writes. */
export const lastWritten = (steps: readonly RecordedStep[]): number[] =>
  at(steps, -1)
    .uses.filter(({ writes }) => writes)
    .map(({ virtual }) => virtual);
