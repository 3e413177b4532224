/** Philox against Random123's known answers, and what is drawn from it against its distribution. */
import { describe, expect, it } from "vitest";
import { mulHigh, philox, randomKey } from "../../src/util/philox.ts";
import type { Words } from "../../src/util/philox.ts";
import { generator, normal, shuffle, truncatedNormal, uniform } from "../../src/util/random.ts";

// Random123 1.14, tests/kat_vectors: philox4x32 10, counter, key, expected
const KNOWN: readonly (readonly [Words, readonly [number, number], Words])[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

const moments = (values: Float32Array) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  const fourth = values.reduce((a, b) => a + (b - mean) ** 4, 0) / values.length;
  return { mean, variance, kurtosis: fourth / variance ** 2 };
};

describe("philox", () => {
  it.each(KNOWN)("gives Random123's answer to %j under %j", (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });

  it("multiplies to the high word exactly", () => {
    for (const [a, b] of [
      [0xffffffff, 0xffffffff],
      [0xd2511f53, 0x80000001],
      [0x12345678, 0x9abcdef0],
      [0, 5],
    ] as const)
      expect(mulHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
  });

  it("splits seeds and steps beyond 32 bits", () => {
    expect(randomKey(2 ** 40 + 3, 2 ** 33 + 1)).toEqual([3, 256, 1, 2]);
  });
});

const COUNT = 40_000;

describe("random", () => {
  it("repeats itself for a seed and stream, and only then", () => {
    const draw = { seed: 7, stream: 1 };
    expect(normal(9, draw)).toEqual(normal(9, draw));
    expect(normal(9, draw)).not.toEqual(normal(9, { seed: 7, stream: 2 }));
    expect(normal(9, draw)).not.toEqual(normal(9, { seed: 8, stream: 1 }));
    expect(normal(8, draw)).toEqual(normal(9, draw).subarray(0, 8));
  });

  it("draws from [0, 1)", () => {
    const next = generator({ seed: 1 });
    const values = Array.from({ length: 1000 }, next);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
  });

  it("draws uniform numbers with their mean and variance", () => {
    const { mean, variance } = moments(uniform(COUNT, { seed: 3, low: -2, high: 4 }));
    expect(mean).toBeCloseTo(1, 1);
    expect(variance).toBeCloseTo(3, 1); // 6² / 12
  });

  it("draws normal numbers with their mean, variance and kurtosis", () => {
    const { mean, variance, kurtosis } = moments(normal(COUNT, { seed: 3, mean: 5, std: 0.5 }));
    expect(Math.abs(mean - 5)).toBeLessThan(0.01);
    expect(Math.abs(variance - 0.25)).toBeLessThan(0.01);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.15);
  });

  it("keeps truncated normal numbers within the bound", () => {
    const values = truncatedNormal(COUNT, { seed: 3, std: 0.02 });
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.04));
    // Variance of a standard normal cut at ±2: 1 − 4 φ(2) / (2 Φ(2) − 1)
    expect(Math.abs(moments(values).variance / 0.02 ** 2 - 0.77374)).toBeLessThan(0.02);
  });
});

describe("shuffle", () => {
  it("is a permutation that its seed and epoch decide", () => {
    const order = shuffle(1000, 5, 0);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(shuffle(1000, 5, 0)).toEqual(order);
    expect(shuffle(1000, 5, 1)).not.toEqual(order);
    expect(shuffle(1000, 6, 0)).not.toEqual(order);
  });

  it("takes nothing and one", () => {
    expect([...shuffle(0, 1, 1)]).toEqual([]);
    expect([...shuffle(1, 1, 1)]).toEqual([0]);
  });

  it("puts every number first equally often", () => {
    const first = new Array<number>(5).fill(0);
    for (let epoch = 0; epoch < 5000; epoch++) {
      const [chosen = -1] = shuffle(5, 11, epoch);
      first[chosen] = (first[chosen] ?? 0) + 1;
    }
    for (const times of first) expect(Math.abs(times - 1000)).toBeLessThan(120); // 4 σ
  });
});
