import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { easePolling } from "../../src/platform/node-polling.ts";

/** A callback as Dawn's binding makes them: native, without a name. */
function nativeCallback(run: () => void): () => void {
  return Object.defineProperty(run.bind(null), "name", { value: "" });
}

/** Polls as the binding does until so many milliseconds are over; the polls that took. */
function pollsOf(milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  return new Promise((resolve) => {
    let polls = 0;
    const tick = nativeCallback(() => {
      polls++;
      if (performance.now() < end) setImmediate(tick);
      else resolve(polls);
    });
    setImmediate(tick);
  });
}

describe("easePolling", () => {
  beforeAll(easePolling);

  it("polls a wait of 40 ms a hundred times, not tens of thousands", async () => {
    expect(await pollsOf(40)).toBeLessThan(1000);
  });

  it("starts each wait with short pauses", async () => {
    await pollsOf(20);
    // Were the pauses of the wait before kept, 5 ms would take 5 polls.
    const counts = [];
    for (let round = 0; round < 20; round++) counts.push(await pollsOf(5));
    expect(Math.max(...counts)).toBeGreaterThan(8);
  });

  it("lets timers run between polls", async () => {
    let timers = 0;
    const timer = setInterval(() => timers++, 2);
    await pollsOf(40);
    clearInterval(timer);
    expect(timers).toBeGreaterThan(1);
  });

  it("leaves everybody else's callbacks, arguments and handles alone", async () => {
    const got: unknown[] = [];
    const dropped = setImmediate(() => got.push("dropped"));
    clearImmediate(dropped);
    setImmediate((...args: unknown[]) => got.push(args), 1, "b");
    await sleep(5);
    expect(got).toEqual([[1, "b"]]);
    expect(await promisify(setImmediate)("value")).toBe("value");
  });

  it("is set up once", () => {
    const eased = globalThis.setImmediate;
    easePolling();
    expect(globalThis.setImmediate).toBe(eased);
  });
});
