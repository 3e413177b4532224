/** Merging passes: bindings, params and WGSL of the result, and what it refuses. */
import { describe, expect, it } from "vitest";
import { epilogue } from "../../shaders/lib/epilogue.wgsl.ts";
import { bindingKinds } from "../../src/engine/executor.ts";
import { canLead, fusePasses } from "../../src/kernels/fuse.ts";
import type { FusedPass, Link } from "../../src/kernels/fuse.ts";
import { table } from "../../src/kernels/index.ts";
import type { Caps, Pass, Stage } from "../../src/kernels/op.ts";
import { at, meta } from "../../src/util/shape.ts";
import { unaryRows } from "../../src/kernels/unary.table.ts";
import { firstPass, goldenCaps, linkOf } from "../../tools/expanded.ts";

function fuse(first: Pass, links: readonly Link[], caps: Caps = goldenCaps): FusedPass {
  const fused = fusePasses(first, links, caps);
  if (!fused) throw new Error("nothing was fused");
  return fused;
}

const matmul = firstPass(table.matmul, [[6, 5], [5, 8], [8]]);
const add = firstPass(table.add, [
  [6, 8],
  [6, 8],
]);
const gelu = firstPass(table.gelu, [[6, 8]]);
const BYTES = 4 * 6 * 8;

describe("fusePasses", () => {
  it("puts a residual add into a product's store", () => {
    const { pass, sources } = fuse(matmul, [linkOf(add, [1])]);
    // a, b, bias, then the sum where the product was, then the other operand
    expect(sources).toEqual([
      { member: 0, binding: 0 },
      { member: 0, binding: 1 },
      { member: 0, binding: 2 },
      { member: 1, binding: 2 },
      { member: 1, binding: 0 },
    ]);
    expect(bindingKinds(pass)).toEqual(["read", "read", "read", "read_write", "read", "params"]);
    expect(pass.label).toBe(`${matmul.label} + add`);
    expect(pass.code).toContain("let value1 = add_stage(operand0_0[at], value0);");
    expect(pass.code).toContain("@group(0) @binding(5) var<uniform> params");
    expect(pass.grid).toEqual(matmul.grid);
    expect(pass.bytes).toBe((matmul.bytes ?? 0) + BYTES); // only the other operand is new
  });

  it("stores a value that others read, and binds the result after it", () => {
    const { pass, sources } = fuse(matmul, [linkOf(gelu, [0], true)]);
    expect(sources.slice(3)).toEqual([
      { member: 0, binding: 3 },
      { member: 1, binding: 1 },
    ]);
    const stores = pass.code.match(/^ {2}\w+\[at\] = value\d;$/gm);
    expect(stores).toEqual(["  y[at] = value0;", "  stored1[at] = value1;"]);
    expect(pass.bytes).toBe((matmul.bytes ?? 0) + BYTES);
  });

  it("stores f16 in place of the product, and counts its bytes", () => {
    const cast = firstPass(table.cast, [[6, 8]], { dtype: "f16" });
    const halfGelu = firstPass(table.gelu, [meta([6, 8], "f16")]);
    const one = fuse(matmul, [linkOf(cast, [0])]).pass;
    expect(one.code).toMatch(/^enable f16;/);
    expect(one.code).toContain("var<storage, read_write> y: array<Half>;");
    expect(one.code).toContain("  y[at] = Half(value1);");
    expect(one.bytes).toBe((matmul.bytes ?? 0) - BYTES / 2); // f16 instead of f32
    const two = fuse(matmul, [linkOf(cast, [0]), linkOf(halfGelu, [0], true)]).pass;
    expect(two.code).toContain("  y[at] = Half(value1);");
    expect(two.code).toContain("  stored2[at] = Half(value2);");
    expect(two.bytes).toBe(matmul.bytes); // f16 twice
    const wide = fuse(matmul, [linkOf(cast, [0], true)]).pass;
    expect(wide.code).toContain("var<storage, read_write> y: array<Value>;");
    expect(wide.code).toContain("  stored1[at] = Half(value1);");
  });

  it("chains elementwise passes, with words and repeated operands in the params", () => {
    const affine = firstPass(table.affine, [[6, 8]], { scale: 3, shift: -1 });
    const mul = firstPass(table.mul, [[6, 8], [8]]);
    const { pass, sources } = fuse(affine, [linkOf(mul, [0]), linkOf(add, [0, 1])]);
    expect(sources).toEqual([
      { member: 0, binding: 0 },
      { member: 1, binding: 1 },
      { member: 2, binding: 2 },
    ]);
    expect(pass.params).toEqual([{ u32: 12 }, { f32: 3 }, { f32: -1 }, { u32: 2 }]);
    expect(pass.code).toContain("let value1 = affine_stage(operand0_0[at], params.word0_0,");
    expect(pass.code).toContain("let value2 = mul_stage(value1, operand1_1[at % params.");
    expect(pass.code).toContain("let value3 = add_stage(value2, value2);");
  });

  it("reads element by element where a size is no multiple of 4", () => {
    const repeated = firstPass(table.add, [[4, 6], [6]]);
    const wide = firstPass(table.gelu, [[4, 6]]);
    expect(fuse(wide, [linkOf(repeated, [0])]).pass.code).toContain("alias Value = f32;");
    const product = firstPass(table.matmul, [
      [4, 5],
      [5, 8],
    ]);
    const rows = firstPass(table.add, [[2, 16], [16]]);
    expect(fusePasses(product, [linkOf(rows, [0])], goldenCaps)).not.toBeNull();
  });

  it("refuses other sizes, too many buffers, and operands that do not fit a kernel's vectors", () => {
    const smaller = firstPass(table.gelu, [[5, 8]]);
    expect(fusePasses(matmul, [linkOf(smaller, [0])], goldenCaps)).toBeNull();
    const caps: Caps = { ...goldenCaps, maxStorageBuffers: 4 };
    expect(fusePasses(matmul, [linkOf(add, [0])], caps)).toBeNull();
    expect(fusePasses(matmul, [linkOf(gelu, [0])], caps)).not.toBeNull();
    const flat = firstPass(table.matmul, [
      [3, 5],
      [5, 8],
    ]);
    const byThree = firstPass(table.add, [[8, 3], [3]]);
    expect(fusePasses(flat, [linkOf(byThree, [0])], goldenCaps)).toBeNull();
  });

  it("starts with elementwise passes and with kernels that have a tail", () => {
    const softmax = firstPass(table.softmax, [[6, 8]]);
    expect([matmul, add, softmax].map(canLead)).toEqual([true, true, false]);
  });

  it("follows the sum of a split product's parts, which are no results themselves", () => {
    const inputs = [meta([6, 4096]), meta([4096, 8])];
    const { defaults, variants } = table.matmul;
    const { passes = [] } = variants["broadcast"]?.plan(inputs, defaults, goldenCaps) ?? {};
    expect(passes.map(canLead)).toEqual([false, true]);
    const { pass, sources } = fuse(at(passes, 1), [linkOf(add, [1])]);
    expect(sources).toEqual([
      { member: 0, binding: 0 },
      { member: 1, binding: 2 },
      { member: 1, binding: 0 },
    ]);
    expect(pass.code).toContain("let value1 = add_stage(operand0_0[at], value0);");
    expect(pass.code).toContain("@group(0) @binding(3) var<uniform> params");
  });
});

describe("the stages of all unary ops", () => {
  const shapes = [
    [2, 4],
    [2, 4],
  ] as const;
  const stages = Object.keys(unaryRows).flatMap((name) => {
    const forward = firstPass(table[name as keyof typeof unaryRows], [[2, 4]]).stage;
    const backward = firstPass(table.unaryBackward, shapes, { of: name }).stage;
    return [forward, backward].filter((stage) => stage !== undefined);
  });

  /** Names that the text declares, with repetitions. */
  const declared = (text: string): string[] =>
    [...text.matchAll(/^(?:fn|const|alias) (\w+)/gm)].map(([, name]) => name ?? "");

  const text = (list: readonly Stage[]): string =>
    epilogue({
      width: 4,
      output: "y",
      firstBinding: 3,
      stages: list.map(({ name, blocks }) => ({
        name,
        blocks: blocks(4),
        operands: [{ kind: "value", isHalf: false }],
        isHalf: false,
        words: [],
        isIndexed: false,
        keepsValue: false,
      })),
    }).text;

  it("declare no name twice, whichever two meet", () => {
    expect(stages).toHaveLength(2 * Object.keys(unaryRows).length);
    for (const a of stages)
      for (const b of stages) {
        const names = declared(text([a, b]));
        expect(new Set(names).size, `${a.name}, ${b.name}`).toBe(names.length);
      }
  });
});
