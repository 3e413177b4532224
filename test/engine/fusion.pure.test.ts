/** Which recorded passes merge, and which must not. */
import { describe, expect, it } from "vitest";
import { fuseSteps } from "../../src/engine/fusion.ts";
import { Tensor } from "../../src/engine/tensor.ts";
import { table } from "../../src/kernels/index.ts";
import type { Caps } from "../../src/kernels/op.ts";
import { meta } from "../../src/util/shape.ts";
import { goldenCaps } from "../../tools/expanded.ts";
import { Draft, labelsOf, lastWritten, reader } from "./draft.ts";

const { add, addInPlace, gelu, layernorm, matmul, neg, softmax } = table;

const fuse = ({ recorder, pinned }: Draft, caps: Caps = goldenCaps) =>
  fuseSteps(recorder.steps, pinned, caps);
const fused = (draft: Draft, caps?: Caps): string[] => labelsOf(fuse(draft, caps));

describe("fuseSteps merges", () => {
  it("a chain whose values nobody else reads", () => {
    const draft = new Draft();
    const [a, b, x] = [draft.real(), draft.real(), draft.real()];
    draft.pin(draft.run(neg, draft.run(add, draft.run(matmul, a, b), x)));
    expect(fused(draft)).toEqual(["matmul + add + neg"]);
    expect(lastWritten(fuse(draft))).toEqual([...draft.pinned]);
  });

  it("what has other readers or is returned, which is stored as well", () => {
    const read = new Draft();
    const product = read.run(matmul, read.real(), read.real());
    read.pin(read.run(gelu, product));
    read.pin(read.run(layernorm, product, read.real([8]), read.real([8])));
    expect(fused(read)).toEqual(["matmul + gelu", "layernorm"]);
    const returned = new Draft();
    const kept = returned.run(matmul, returned.real(), returned.real());
    returned.pin(kept);
    returned.pin(returned.run(neg, kept));
    expect(lastWritten(fuse(returned))).toEqual([...returned.pinned]);
  });

  it("past steps that have nothing to do with it", () => {
    const draft = new Draft();
    const [x, y] = [draft.real(), draft.real()];
    const product = draft.run(matmul, x, y);
    draft.pin(draft.run(matmul, y, x));
    draft.pin(draft.run(neg, product));
    expect(fused(draft)).toEqual(["matmul + neg", "matmul"]);
  });
});

describe("fuseSteps leaves alone", () => {
  it("an operand that is made in between", () => {
    const draft = new Draft();
    const product = draft.run(matmul, draft.real(), draft.real());
    draft.pin(draft.run(add, product, draft.run(softmax, draft.real())));
    expect(fused(draft)).toEqual(["matmul", "softmax", "add"]);
  });

  it("real memory that changes in between", () => {
    const draft = new Draft();
    const [state, x] = [draft.real(), draft.real()];
    const product = draft.run(matmul, x, x);
    draft.run(addInPlace, state, x);
    draft.pin(draft.run(add, product, state));
    expect(fused(draft)).toEqual(["matmul", "addInPlace", "add"]);
  });

  it("a value that changes in place before it is read, though not one that changes later", () => {
    const before = new Draft();
    const changed = before.run(matmul, before.real(), before.real());
    before.run(addInPlace, changed, before.real());
    before.pin(before.run(neg, changed));
    expect(fused(before)).toEqual(["matmul", "addInPlace", "neg"]);
    const after = new Draft();
    const product = after.run(matmul, after.real(), after.real());
    after.pin(after.run(neg, product));
    after.run(addInPlace, product, after.real());
    after.pin(product);
    expect(fused(after)).toEqual(["matmul + neg", "addInPlace"]);
  });

  it("values that are read back under another size, or repeated", () => {
    const draft = new Draft();
    const row = draft.run(matmul, draft.real([1, 8]), draft.real());
    draft.pin(draft.run(add, draft.real(), row));
    expect(fused(draft)).toEqual(["matmul", "add"]);
  });

  it("a view of part of a value", () => {
    const draft = new Draft();
    const product = draft.run(matmul, draft.real([128, 8]), draft.real());
    const part = new Tensor(reader, meta([64, 8]), product.storage, 64 * 8 * 4);
    draft.pin(draft.run(neg, part));
    expect(fused(draft)).toEqual(["matmul", "neg"]);
  });

  it("a pass that would bind more buffers than the adapter allows", () => {
    const draft = new Draft();
    const [a, b, x] = [draft.real(), draft.real(), draft.real()];
    draft.pin(draft.run(add, draft.run(matmul, a, b), x));
    expect(fused(draft, { ...goldenCaps, maxStorageBuffers: 5 })).toHaveLength(1);
    expect(fused(draft, { ...goldenCaps, maxStorageBuffers: 4 })).toHaveLength(2);
  });

  it("the rest of a chain that would bind too many buffers, which then runs as a chain of its own", () => {
    const draft = new Draft();
    const product = draft.run(matmul, draft.real(), draft.real());
    const sum = (x: Tensor): Tensor => draft.run(add, x, draft.real());
    draft.pin(sum(sum(sum(product))));
    const within = (maxStorageBuffers: number): string[] =>
      fused(draft, { ...goldenCaps, maxStorageBuffers });
    expect(within(7)).toEqual(["matmul + add + add + add"]);
    expect(within(6)).toEqual(["matmul + add + add", "add"]);
    expect(within(5)).toEqual(["matmul + add", "add + add"]);
    expect(within(4)).toEqual(["matmul", "add + add", "add"]);
    expect(within(3)).toEqual(["matmul", "add", "add", "add"]);
  });

  it("a pass that would read what it writes", () => {
    const draft = new Draft();
    const first = draft.run(matmul, draft.real(), draft.real());
    const second = draft.run(neg, first);
    draft.pin(draft.run(add, second, first)); // the sum needs `first` from memory
    expect(fused(draft)).toEqual(["matmul + neg", "add"]);
  });
});
