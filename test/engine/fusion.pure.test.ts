/** Which recorded passes merge, and which must not. */
import { describe, expect, it } from "vitest";
import { Recorder } from "../../src/engine/capture.ts";
import { resolvePass } from "../../src/engine/executor.ts";
import { fuseSteps } from "../../src/engine/fusion.ts";
import { Storage, Tensor } from "../../src/engine/tensor.ts";
import { table } from "../../src/kernels/index.ts";
import { pickVariant } from "../../src/kernels/op.ts";
import type { Caps, OpDef } from "../../src/kernels/op.ts";
import { at, bytesOf, meta } from "../../src/util/shape.ts";
import type { Shape } from "../../src/util/shape.ts";
import { goldenCaps } from "../../tools/expanded.ts";

const SHAPE = [8, 8] as const;
const reader = { read: () => Promise.reject(new Error("recorded tensors have no bytes")) };

/** A program under construction: ops on recorded tensors. */
class Draft {
  readonly recorder = new Recorder();
  readonly pinned = new Set<number>();

  /** Memory outside of the program. */
  real(shape: Shape = SHAPE): Tensor {
    const place = { bytes: bytesOf(meta(shape)), label: "real", buffer: null };
    return new Tensor(reader, meta(shape), new Storage(place, () => undefined));
  }

  run(op: unknown, ...inputs: Tensor[]): Tensor {
    const def = op as OpDef;
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
      this.recorder.enqueue(resolvePass(pass, { inputs, outputs, temps }, 2 ** 27));
    return outputs[0] ?? at(inputs, 0);
  }

  /** Returns the tensor from the program. */
  pin(tensor: Tensor): void {
    this.pinned.add(tensor.storage.virtual);
  }

  /** Labels of what is left, without shapes. */
  fused(caps: Caps = goldenCaps): string[] {
    return fuseSteps(this.recorder.steps, this.pinned, caps).map((step) =>
      step.kind === "copy" ? "copy" : step.resolved.pass.label.replace(/ (\w+ )?\[[^+]*\]/g, ""),
    );
  }
}

const { add, addInPlace, gelu, layernorm, matmul, neg } = table;

const short = (labels: readonly string[]): string[] =>
  labels.map((label) => label.replace(/ over \d+/, ""));

describe("fuseSteps merges", () => {
  it("a chain whose values nobody else reads", () => {
    const draft = new Draft();
    const [a, b, x] = [draft.real(), draft.real(), draft.real()];
    draft.pin(draft.run(neg, draft.run(add, draft.run(matmul, a, b), x)));
    expect(short(draft.fused())).toEqual(["matmul + add + neg"]);
    const step = at(fuseSteps(draft.recorder.steps, draft.pinned, goldenCaps), 0);
    const written = step.uses.filter((use) => use.writes).map((use) => use.virtual);
    expect(written).toEqual([...draft.pinned]);
  });

  it("what has other readers or is returned, which is stored as well", () => {
    const read = new Draft();
    const product = read.run(matmul, read.real(), read.real());
    read.pin(read.run(gelu, product));
    read.pin(read.run(layernorm, product, read.real([8]), read.real([8])));
    expect(short(read.fused())).toEqual(["matmul + gelu", "layernorm"]);
    const returned = new Draft();
    const kept = returned.run(matmul, returned.real(), returned.real());
    returned.pin(kept);
    returned.pin(returned.run(neg, kept));
    const [step] = fuseSteps(returned.recorder.steps, returned.pinned, goldenCaps);
    const written = step?.uses.filter((use) => use.writes).map((use) => use.virtual);
    expect(written).toEqual([...returned.pinned]);
  });

  it("past steps that have nothing to do with it", () => {
    const draft = new Draft();
    const [x, y] = [draft.real(), draft.real()];
    const product = draft.run(matmul, x, y);
    draft.pin(draft.run(matmul, y, x));
    draft.pin(draft.run(neg, product));
    expect(short(draft.fused())).toEqual(["matmul + neg", "matmul"]);
  });
});

describe("fuseSteps leaves alone", () => {
  it("an operand that is made in between", () => {
    const draft = new Draft();
    const product = draft.run(matmul, draft.real(), draft.real());
    const normal = draft.run(layernorm, draft.real(), draft.real([8]), draft.real([8]));
    draft.pin(draft.run(add, product, normal));
    expect(short(draft.fused())).toEqual(["matmul", "layernorm", "add"]);
  });

  it("real memory that changes in between", () => {
    const draft = new Draft();
    const [state, x] = [draft.real(), draft.real()];
    const product = draft.run(matmul, x, x);
    draft.run(addInPlace, state, x);
    draft.pin(draft.run(add, product, state));
    expect(short(draft.fused())).toEqual(["matmul", "addInPlace", "add"]);
  });

  it("values that are read back under another size, or repeated", () => {
    const draft = new Draft();
    const row = draft.run(matmul, draft.real([1, 8]), draft.real());
    draft.pin(draft.run(add, draft.real(), row));
    expect(short(draft.fused())).toEqual(["matmul", "add"]);
  });

  it("a view of part of a value", () => {
    const draft = new Draft();
    const product = draft.run(matmul, draft.real([128, 8]), draft.real());
    const part = new Tensor(reader, meta([64, 8]), product.storage, 64 * 8 * 4);
    draft.pin(draft.run(neg, part));
    expect(short(draft.fused())).toEqual(["matmul", "neg"]);
  });

  it("a pass that would bind more buffers than the adapter allows", () => {
    const draft = new Draft();
    const [a, b, x] = [draft.real(), draft.real(), draft.real()];
    draft.pin(draft.run(add, draft.run(matmul, a, b), x));
    expect(draft.fused({ ...goldenCaps, maxStorageBuffers: 4 })).toHaveLength(1);
    expect(draft.fused({ ...goldenCaps, maxStorageBuffers: 3 })).toHaveLength(2);
  });

  it("a pass that would read what it writes", () => {
    const draft = new Draft();
    const first = draft.run(matmul, draft.real(), draft.real());
    const second = draft.run(neg, first);
    draft.pin(draft.run(add, second, first)); // the sum needs `first` from memory
    const labels = short(draft.fused());
    expect(labels).toEqual(["matmul + neg", "add"]);
  });
});
