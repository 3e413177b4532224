/** Drawings become images as MNIST's are; charts get round numbers; clouds keep their orientation. */
import { describe, expect, it } from "vitest";
import { ticks } from "../../demo/charts.ts";
import { settle } from "../../demo/cloud.ts";
import { massCentre, normaliseDigit, SIDE } from "../../demo/digit.ts";
import { Turns } from "../../demo/turns.ts";

const WIDTH = 280;

/** A drawing with ink in a rectangle. */
function rectangle([left, top, width, height]: [number, number, number, number]) {
  const grey = new Uint8Array(WIDTH * WIDTH);
  for (let y = top; y < top + height; y++)
    grey.fill(255, y * WIDTH + left, y * WIDTH + left + width);
  return { width: WIDTH, height: WIDTH, grey };
}

describe("normaliseDigit", () => {
  it("gives nothing for empty paper", () => {
    expect(normaliseDigit(rectangle([0, 0, 0, 0]))).toBe(null);
  });

  it.each([
    [10, 20, 30, 120],
    [200, 240, 60, 25],
    [0, 0, 280, 280],
    [139, 139, 1, 1],
  ] as const)("fits ink at %i, %i of %i × %i into 20 pixels, centred", (...box) => {
    const image = normaliseDigit(rectangle([...box])) ?? new Uint8Array();
    expect(image.length).toBe(SIDE * SIDE);
    const rows = Array.from({ length: SIDE }, (_, y) =>
      image.subarray(y * SIDE, (y + 1) * SIDE).some((level) => level > 0),
    ).filter(Boolean).length;
    const columns = Array.from({ length: SIDE }, (_, x) =>
      image.some((level, index) => index % SIDE === x && level > 0),
    ).filter(Boolean).length;
    expect(Math.max(rows, columns)).toBe(20);
    const { x, y } = massCentre({ width: SIDE, height: SIDE, grey: image });
    expect(Math.abs(x - SIDE / 2)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(y - SIDE / 2)).toBeLessThanOrEqual(0.5);
  });
});

describe("ticks", () => {
  it("are round and inside", () => {
    expect(ticks(0, 1)).toEqual([0, 0.5, 1]);
    expect(ticks(0, 30).every((tick) => tick >= 0 && tick <= 30)).toBe(true);
    expect(ticks(3, 3)).toEqual([3]);
  });
});

describe("settle", () => {
  it("scales to a radius of 1 and keeps the axes' signs", () => {
    const before = settle(new Float32Array([2, 0, 0, 0, 2, 0, 0, 0, 2]), null);
    const after = settle(new Float32Array([-4, 0, 0, 0, 4, 0, 0, 0, -4]), before);
    expect(Array.from(before)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect(Array.from(after, Math.abs)).toEqual(Array.from(before));
    expect(after.every((value) => value >= 0)).toBe(true);
  });
});

describe("Turns", () => {
  it("runs one at a time, and lets others in where a task passes", async () => {
    const turns = new Turns();
    const order: string[] = [];
    const long = turns.run(async () => {
      order.push("a1");
      await Promise.resolve();
      await turns.pass();
      order.push("a2");
    });
    const short = turns.run(() => {
      order.push("b");
      return Promise.resolve();
    });
    await Promise.all([long, short]);
    expect(order).toEqual(["a1", "b", "a2"]);
  });

  it("goes on after a task that fails", async () => {
    const turns = new Turns();
    await expect(turns.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await turns.run(() => Promise.resolve(3))).toBe(3);
  });
});
