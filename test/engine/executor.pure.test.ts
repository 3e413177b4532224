/** Passes that an adapter cannot bind are refused by name, with the way out. */
import { expect, it } from "vitest";
import { resolvePass } from "../../src/engine/executor.ts";
import type { SlotTensors } from "../../src/engine/executor.ts";
import { reads, writes } from "../../src/kernels/pass.ts";
import { LimitError } from "../../src/util/errors.ts";
import { goldenCaps } from "../../tools/expanded.ts";
import { Draft } from "./draft.ts";

const draft = new Draft();
const slots: SlotTensors = {
  inputs: [draft.real(), draft.real(), draft.real()],
  outputs: [draft.real()],
  temps: [],
};
const pass = {
  label: "sum3 y [8, 8]",
  code: "",
  bindings: [...reads("in0", "in1", "in2"), ...writes("out0")],
  params: [],
  grid: [1, 1, 1],
} as const;

it("a pass within the limits gets its memory", () => {
  const resolved = resolvePass(pass, slots, { ...goldenCaps, maxStorageBuffers: 4 });
  expect(resolved.bindings.map(({ size }) => size)).toEqual([256, 256, 256, 256]);
});

it("a pass with too many storage buffers names its op", () => {
  const resolve = (): unknown => resolvePass(pass, slots, { ...goldenCaps, maxStorageBuffers: 3 });
  expect(resolve).toThrow(LimitError);
  expect(resolve).toThrow("sum3 y [8, 8]: binds 4 storage buffers, this adapter allows 3");
});

it("a tensor beyond a binding's size names op, slot and sizes", () => {
  const resolve = (): unknown => resolvePass(pass, slots, { ...goldenCaps, maxBindingBytes: 128 });
  expect(resolve).toThrow(LimitError);
  expect(resolve).toThrow("sum3 y [8, 8]: in0 takes 256 bytes, a binding at most 128");
});
