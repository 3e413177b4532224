/** Tuned picks: which calls share one, and when it gives way. */
import { describe, expect, it } from "vitest";
import { attention } from "../../src/kernels/attention.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import type { OpDef } from "../../src/kernels/op.ts";
import { heldPick, pickKey, usableVariants } from "../../src/kernels/picks.ts";
import { meta } from "../../src/util/shape.ts";
import { goldenCaps } from "../../tools/expanded.ts";

const op = matmul as OpDef;
const product = (m: number, k: number, n: number) => [meta([m, k]), meta([k, n]), null];
const attrs = op.defaults;
const call = { inputs: product(197, 768, 3072), attrs, caps: goldenCaps };

describe("pickKey", () => {
  it("is one for sizes up to the next power of two", () => {
    expect(pickKey(op, product(197, 768, 3072), attrs)).toBe("matmul 256x1024 1024x4096 –");
    expect(pickKey(op, product(256, 600, 4096), attrs)).toBe("matmul 256x1024 1024x4096 –");
    expect(pickKey(op, product(257, 768, 3072), attrs)).not.toBe(
      pickKey(op, product(256, 768, 3072), attrs),
    );
  });

  it("names attributes that differ from the defaults, and keeps 0 and 1 apart", () => {
    expect(pickKey(op, product(1, 2, 3), { ...attrs, transposeB: true })).toBe(
      "matmul 1x2 2x4 – transposeB=true",
    );
    expect(pickKey(op, product(0, 2, 3), attrs)).toBe("matmul 0x2 2x4 –");
  });

  it("keeps f16 apart from f32, whose kernels differ", () => {
    const half = [meta([197, 768], "f16"), meta([768, 3072], "f16"), null];
    expect(pickKey(op, half, attrs)).toBe("matmul 256x1024:f16 1024x4096:f16 –");
    expect(heldPick({ [pickKey(op, half, attrs)]: "naive" }, op, call)).toBeUndefined();
  });

  it("is one for all layers of a model, whose masks differ", () => {
    const drops = (stream: number) =>
      pickKey(attention as OpDef, [meta([64, 50, 192]), meta([4], "u32")], {
        ...attention.defaults,
        heads: 4,
        rate: 0.1,
        stream,
      });
    expect(drops(3)).toBe("attention 64x64x256 4 heads=4");
    expect(drops(9)).toBe(drops(3));
  });
});

describe("heldPick", () => {
  const key = pickKey(op, call.inputs, attrs);

  it("prefers the op's name to a size, and knows nothing else", () => {
    expect(heldPick({ [key]: "naive" }, op, call)).toBe("naive");
    expect(heldPick({ [key]: "naive", matmul: "registerTile" }, op, call)).toBe("registerTile");
    expect(heldPick({ "matmul 1x1 1x1 –": "naive" }, op, call)).toBeUndefined();
    expect(heldPick({}, op, call)).toBeUndefined();
  });

  it("gives way where the tuned variant cannot serve the call", () => {
    const small = { ...goldenCaps, maxWorkgroupBytes: 0 };
    expect(usableVariants(op, call.inputs, attrs, small)).not.toContain("workgroupTiled");
    expect(heldPick({ [key]: "workgroupTiled" }, op, { ...call, caps: small })).toBeUndefined();
    expect(heldPick({ [key]: "gone" }, op, call)).toBeUndefined();
  });
});
