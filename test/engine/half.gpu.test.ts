/** Half floats in memory: host values, rounding bit for bit, and kernels that store them at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEngine, program } from "../../src/engine/index.ts";
import type { Engine, Tensor } from "../../src/engine/index.ts";
import { decodeFloat16, encodeFloat16 } from "../../src/util/float16.ts";
import { at } from "../../src/util/shape.ts";
import { generator } from "../ops/samples.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.destroy();
});
beforeEach((context) => {
  if (!engine.caps.features.has("shader-f16")) context.skip("this adapter has no shader-f16");
});

const half = { dtype: "f16" } as const;
const random = (count: number, seed: number): Float32Array => {
  const draw = generator(seed);
  return Float32Array.from({ length: count }, () => 2 * draw() - 1);
};

describe("host values", () => {
  it("of odd counts come back", async () => {
    const bits = encodeFloat16(Float32Array.of(1, -2.5, 65504));
    const x = engine.tensor(bits);
    expect(x).toMatchObject({ dtype: "f16", shape: [3], bytes: 8 });
    expect(await x.data()).toEqual(bits);
    expect(await x.floats()).toEqual(Float32Array.of(1, -2.5, 65504));
    engine.write(x, encodeFloat16(Float32Array.of(7, 8, 9)));
    expect(await x.floats()).toEqual(Float32Array.of(7, 8, 9));
    expect(await engine.zeros([5], "f16").floats()).toEqual(new Float32Array(5));
    expect(await engine.tensor(bits.slice(1, 2)).item()).toBe(-2.5);
  });

  it("of another dtype are refused", () => {
    const [x, y] = [engine.zeros([2], "f16"), engine.zeros([2])];
    expect(() => {
      engine.write(x, new Float32Array(2));
    }).toThrow(/write: f32 values for f16; got target \[2\]/);
    expect(() => {
      engine.assign(y, x);
    }).toThrow(/assign: f16 does not fit f32; use cast; got target \[2\]/);
  });
});

describe("cast to f16", () => {
  it("rounds to nearest even and overflows to infinity, bit for bit", async () => {
    const draw = generator(3);
    const spread = Array.from({ length: 4000 }, () => (2 * draw() - 1) * 2 ** (40 * draw() - 22));
    const ties = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2049, 2051, 65519.99, 65520, -65520, 3e38];
    const small = [2 ** -14, 2047 * 2 ** -25, 1.5 * 2 ** -24, 2 ** -24, 2 ** -25, -1e-9];
    const x = Float32Array.from([...ties, ...small, ...spread]);
    const y = engine.ops.cast(engine.tensor(x), half);
    expect(await y.data()).toEqual(encodeFloat16(x));
    expect(await engine.ops.cast(y).data()).toEqual(decodeFloat16(encodeFloat16(x)));
  });
});

describe("a program", () => {
  /** Runs a body fused and not; both are the same but for values that skip a rounding. */
  async function bothWays(body: (x: Tensor) => Tensor): Promise<[Float32Array, number][]> {
    const input = { x: { values: random(6 * 12, 5), shape: [6, 12] } };
    return Promise.all(
      [true, false].map(async (fuse): Promise<[Float32Array, number]> => {
        const made = program(engine, ({ x }: { x: Tensor }) => body(x), { fuse });
        const values = await (await made.run(input)).floats();
        const passes = made.stats?.passes ?? 0;
        made.dispose();
        return [values, passes];
      }),
    );
  }

  const weight = (): Tensor => engine.tensor(encodeFloat16(random(12 * 8, 7)), [12, 8]);

  it("stores f16 in the kernel that makes the value", async () => {
    const w = weight();
    const { ops } = engine;
    const [[fused, few], [plain, many]] = (await bothWays((x) =>
      ops.cast(ops.matmul(ops.cast(x, half), w), half),
    )) as [[Float32Array, number], [Float32Array, number]];
    expect(fused).toEqual(plain);
    expect([few, many]).toEqual([2, 3]);
  });

  it("chains stages over f16, reads it back wide, and keeps what others read", async () => {
    const w = weight();
    const { ops } = engine;
    const [[fused, few], [plain, many]] = (await bothWays((x) => {
      const hidden = ops.cast(ops.matmul(ops.cast(x, half), w), half);
      const active = ops.gelu(hidden);
      return ops.add(ops.cast(active), ops.unaryBackward(ops.cast(active), hidden, { of: "gelu" }));
    })) as [[Float32Array, number], [Float32Array, number]];
    expect(few).toBeLessThan(many);
    // A driver may leave out roundings between stages: 2⁻¹¹ of hidden, and of active.
    fused.forEach((value, k) => {
      expect(Math.abs(value - at(plain, k))).toBeLessThanOrEqual(4e-3 * (1 + Math.abs(value)));
    });
  });

  it("normalises rows straight into f16", async () => {
    const { ops } = engine;
    const [one, none] = [engine.tensor(new Float32Array(12).fill(1)), engine.zeros([12])];
    const [[fused, few], [plain, many]] = (await bothWays((x) =>
      ops.cast(ops.layernorm(x, one, none), half),
    )) as [[Float32Array, number], [Float32Array, number]];
    expect(fused).toEqual(plain);
    expect([few, many]).toEqual([1, 2]);
  });
});
