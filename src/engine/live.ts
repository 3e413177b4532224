/** How much memory a program needs at least: what is alive at its fullest moment. Pure. */
import type { Lifetime } from "./plan.ts";

/** Most bytes of virtual storages that are alive during one step. */
export function mostLiveBytes(
  lifetimes: ReadonlyMap<number, Lifetime>,
  sizes: ReadonlyMap<number, number>,
): number {
  const changes = new Map<number, number>(); // by step: bytes born less bytes that died before
  const change = (step: number, bytes: number): void => {
    changes.set(step, (changes.get(step) ?? 0) + bytes);
  };
  for (const [id, { first, last }] of lifetimes) {
    change(first, sizes.get(id) ?? 0);
    change(last + 1, -(sizes.get(id) ?? 0));
  }
  let live = 0;
  let most = 0;
  for (const [, bytes] of [...changes].sort(([a], [b]) => a - b)) {
    live += bytes;
    most = Math.max(most, live);
  }
  return most;
}
