/** The pure passes over a program: dead code, placement of copies, memory slots. */
import { describe, expect, it } from "vitest";
import {
  lifetimesOf,
  liveSteps,
  ownMemory,
  placeCopies,
  planMemory,
} from "../../src/engine/plan.ts";
import type { Step, Use } from "../../src/engine/plan.ts";
import fc from "fast-check";

const BYTES = 1024;
const arena = { name: "arena" };

const read = (virtual: number): Use => ({
  virtual,
  real: null,
  offset: 0,
  size: BYTES,
  writes: false,
});
const write = (virtual: number): Use => ({ ...read(virtual), writes: true });
const real = (offset: number, writes: boolean): Use => ({
  virtual: -1,
  real: arena,
  offset,
  size: BYTES,
  writes,
});
const pass = (...uses: Use[]): Step => ({ kind: "pass", uses });
const copy = (from: Use, to: Use): Step => ({ kind: "copy", uses: [from, to] });
const sizes = new Map(Array.from({ length: 50 }, (_, id) => [id, BYTES]));
const none = new Set<number>();

describe("liveSteps", () => {
  it("keeps what leads to pinned storages and real memory, and drops the rest", () => {
    const steps = [
      pass(write(0)),
      pass(write(1)),
      pass(read(0), write(2)),
      pass(read(1), write(3)),
      pass(read(2), real(0, true)),
    ];
    expect(liveSteps(steps, none)).toEqual([true, false, true, false, true]);
    expect(liveSteps(steps, new Set([3]))).toEqual([true, true, true, true, true]);
  });
});

describe("placeCopies", () => {
  it("computes a copied value in its target", () => {
    const placed = placeCopies([pass(write(0)), copy(read(0), real(BYTES, true))], sizes, none);
    expect(placed.get(0)).toEqual({ real: arena, offset: BYTES });
  });

  it("leaves the copy when the target is read in between", () => {
    const steps = [
      pass(write(0)),
      pass(real(BYTES, false), write(1)),
      copy(read(0), real(BYTES, true)),
    ];
    expect(placeCopies(steps, sizes, new Set([1])).size).toBe(0);
  });

  it("leaves the copy when the value is used afterwards or returned", () => {
    const late = [pass(write(0)), copy(read(0), real(0, true)), pass(read(0), write(1))];
    expect(placeCopies(late, sizes, none).size).toBe(0);
    const returned = [pass(write(0)), copy(read(0), real(0, true))];
    expect(placeCopies(returned, sizes, new Set([0])).size).toBe(0);
  });

  it("withdraws a placement that would bind one buffer for reading and writing", () => {
    const steps = [
      pass(write(0)),
      pass(read(0), write(1)),
      copy(read(1), real(0, true)),
      copy(read(0), real(BYTES, true)),
    ];
    const placed = placeCopies(steps, sizes, none);
    expect(placed.has(0) && placed.has(1)).toBe(false);
  });
});

describe("planMemory", () => {
  it("lets values share a slot one after the other", () => {
    const steps = [
      pass(write(0)),
      pass(read(0), write(1)),
      pass(read(1), write(2)),
      pass(read(2), write(3)),
    ];
    const { slotBytes, slotOf } = planMemory(lifetimesOf(steps, new Set([3])), sizes);
    expect(slotBytes).toHaveLength(2);
    expect(slotOf.get(0)).toBe(slotOf.get(2));
  });

  it("has a reference that shares nothing", () => {
    const steps = [pass(write(0)), pass(read(0), write(1)), pass(read(1), write(2))];
    const { slotBytes, slotOf } = ownMemory(lifetimesOf(steps, new Set([2])), sizes);
    expect(slotBytes).toEqual([BYTES, BYTES, BYTES]);
    expect(new Set(slotOf.values()).size).toBe(3);
  });

  it("never gives one slot to two values that are alive together", () => {
    const graph = fc.array(
      fc.record({
        inputs: fc.array(fc.nat(30), { maxLength: 3 }),
        bytes: fc.integer({ min: 4, max: 4096 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(graph, (nodes) => {
        const bytes = new Map(nodes.map((node, id) => [id, node.bytes]));
        const steps = nodes.map((node, id) =>
          pass(...node.inputs.filter((input) => input < id).map(read), write(id)),
        );
        const lifetimes = lifetimesOf(steps, new Set([nodes.length - 1]));
        const { slotOf, slotBytes } = planMemory(lifetimes, bytes);
        for (const [a, lifeA] of lifetimes) {
          expect(slotBytes[slotOf.get(a) ?? -1]).toBeGreaterThanOrEqual(bytes.get(a) ?? 0);
          for (const [b, lifeB] of lifetimes)
            if (a !== b && lifeA.first <= lifeB.last && lifeB.first <= lifeA.last)
              expect(slotOf.get(a)).not.toBe(slotOf.get(b));
        }
      }),
    );
  });
});
