/** Resized position embeddings against scipy's zoom and PyTorch's bicubic; the corner rule. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadFloats, openArrays } from "../../src/io/index.ts";
import { at } from "../../src/util/shape.ts";
import { gridSide, resizePositions } from "../../src/vit/weights/positions.ts";

const folder = fileURLToPath(new URL("../fixtures/vit/", import.meta.url));
const DIM = 16;

async function array(file: string, name: string): Promise<Float32Array> {
  const stored = await (await openArrays(folder + file)).find(name);
  if (!stored) throw new Error(`${file} lacks ${name}`);
  return loadFloats(stored);
}

describe("resizePositions", () => {
  it.each([
    ["bilinear", "linear"],
    ["bicubic", "cubic"],
  ] as const)("%s equals the reference", async (interpolation, name) => {
    const old = await array("timm.safetensors", "pos_embed");
    const expected = await array("positions.npz", name);
    const got = resizePositions(old, { from: 3, to: 5, dim: DIM }, interpolation);
    expect(got.subarray(0, DIM)).toEqual(old.subarray(0, DIM));
    expected.forEach((value, k) => {
      expect(Math.abs(value - at(got, DIM + k))).toBeLessThanOrEqual(1e-6);
    });
  });

  it("keeps the four corners from 14 to 24", () => {
    const old = Float32Array.from({ length: 14 * 14 + 1 }, (_, k) => Math.sin(k * 12.9898) * 43.7);
    const got = resizePositions(old, { from: 14, to: 24, dim: 1 }, "bilinear");
    const corner = (values: Float32Array, side: number, y: number, x: number): number =>
      at(values, 1 + y * (side - 1) * side + x * (side - 1));
    for (const y of [0, 1])
      for (const x of [0, 1]) expect(corner(got, 24, y, x)).toBe(corner(old, 14, y, x));
  });

  it("knows a square grid", () => {
    expect(gridSide([1, 197, 768])).toBe(14);
    expect(gridSide([1, 199, 768])).toBe(0);
  });
});
