/** Pure passes over a recorded program: dead code, copy placement, memory slots. No GPU here. */

/** A range of memory that a step touches: virtual (to be planned) or real (exists outside). */
export interface Use {
  /** Negative for real memory, else the virtual storage's number. */
  readonly virtual: number;
  /** Names the real memory; equal keys mean the same buffer. Null for virtual memory. */
  readonly real: object | null;
  readonly offset: number;
  readonly size: number;
  readonly writes: boolean;
}

/** One step of a program: a dispatch, or a copy whose uses are [source, target]. */
export interface Step {
  readonly kind: "pass" | "copy";
  readonly uses: readonly Use[];
}

/** Where a virtual storage ended up in real memory instead of a slot. */
export interface Placement {
  readonly real: object;
  readonly offset: number;
}

/**
 * Which steps matter: those that write real memory or pinned storages, and what they read.
 * A storage counts as a whole: every write of a live storage is live.
 */
export function liveSteps(steps: readonly Step[], pinned: ReadonlySet<number>): boolean[] {
  const wanted = new Set(pinned);
  const live = new Array<boolean>(steps.length).fill(false);
  for (let index = steps.length - 1; index >= 0; index--) {
    const uses = steps[index]?.uses ?? [];
    if (!uses.some((use) => use.writes && (use.real !== null || wanted.has(use.virtual)))) continue;
    live[index] = true;
    for (const use of uses) if (use.real === null) wanted.add(use.virtual);
  }
  return live;
}

/** First and last step that touch a virtual storage. */
export interface Lifetime {
  first: number;
  last: number;
}

/** Lifetimes of all virtual storages; pinned ones last to the end. */
export function lifetimesOf(
  steps: readonly Step[],
  pinned: ReadonlySet<number>,
): Map<number, Lifetime> {
  const lifetimes = new Map<number, Lifetime>();
  steps.forEach(({ uses }, index) => {
    for (const { virtual, real } of uses) {
      if (real !== null) continue;
      const known = lifetimes.get(virtual);
      if (known) known.last = index;
      else lifetimes.set(virtual, { first: index, last: index });
    }
  });
  for (const id of pinned) {
    const known = lifetimes.get(id);
    if (known) known.last = steps.length;
  }
  return lifetimes;
}

/** Whether two uses share bytes. */
export const overlaps = (a: Use, b: Use): boolean =>
  a.real === b.real &&
  a.virtual === b.virtual &&
  a.offset < b.offset + b.size &&
  b.offset < a.offset + a.size;

/** Indices of the steps that touch each virtual storage. */
export function stepsByStorage(steps: readonly Step[]): Map<number, number[]> {
  const touching = new Map<number, number[]>();
  steps.forEach(({ uses }, index) => {
    for (const virtual of new Set(uses.map((use) => use.virtual)))
      touching.set(virtual, [...(touching.get(virtual) ?? []), index]);
  });
  return touching;
}

/** No step between a storage's birth and its copy may touch the copy's target. */
function targetIsFree(steps: readonly Step[], { first, last }: Lifetime, target: Use): boolean {
  for (let index = first; index < last; index++)
    if (steps[index]?.uses.some((use) => use.real !== null && overlaps(use, target))) return false;
  return true;
}

/**
 * Copies that vanish because their source can be computed in the target's place: gradients land
 * in the optimizer's arena this way. WebGPU forbids one buffer as `read` and `read_write` in one
 * dispatch (even at disjoint ranges), so a placement that would cause it is withdrawn.
 */
export function placeCopies(
  steps: readonly Step[],
  sizes: ReadonlyMap<number, number>,
  pinned: ReadonlySet<number>,
): Map<number, Placement> {
  const lifetimes = lifetimesOf(steps, pinned);
  const placed = new Map<number, Placement>();
  steps.forEach(({ kind, uses: [source, target] }, index) => {
    if (kind !== "copy" || !source || !target || source.real !== null || !target.real) return;
    const lifetime = lifetimes.get(source.virtual);
    const whole = source.offset === 0 && source.size === sizes.get(source.virtual);
    if (!lifetime || !whole || pinned.has(source.virtual) || placed.has(source.virtual)) return;
    if (lifetime.last !== index || !targetIsFree(steps, lifetime, target)) return;
    placed.set(source.virtual, { real: target.real, offset: target.offset });
  });
  withdrawConflicts(steps, placed);
  return placed;
}

function withdrawConflicts(steps: readonly Step[], placed: Map<number, Placement>): void {
  const home = (use: Use): object | null => use.real ?? placed.get(use.virtual)?.real ?? null;
  let changed = true;
  while (changed) {
    changed = false;
    for (const { kind, uses } of steps) {
      if (kind !== "pass") continue;
      for (const use of uses)
        if (
          use.real === null &&
          placed.has(use.virtual) &&
          uses.some((other) => home(other) === home(use) && other.writes !== use.writes)
        )
          changed = placed.delete(use.virtual) || changed;
    }
  }
}

/** Slots of memory that storages share one after the other. */
export interface MemoryPlan {
  readonly slotBytes: readonly number[];
  readonly slotOf: ReadonlyMap<number, number>;
}

/**
 * Gives every storage a slot that nobody else uses during its life: largest first, into the first
 * slot that is free for long enough. A slot is one GPUBuffer, so inputs and outputs of one pass
 * never share a buffer.
 */
export function planMemory(
  lifetimes: ReadonlyMap<number, Lifetime>,
  sizes: ReadonlyMap<number, number>,
): MemoryPlan {
  const slots: { bytes: number; taken: Lifetime[] }[] = [];
  const slotOf = new Map<number, number>();
  const bySize = [...lifetimes].sort(
    ([a, lifeA], [b, lifeB]) =>
      (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0) || lifeA.first - lifeB.first,
  );
  for (const [id, life] of bySize) {
    const free = slots.findIndex(({ taken }) =>
      taken.every(({ first, last }) => life.last < first || last < life.first),
    );
    const index = free < 0 ? slots.length : free;
    if (free < 0) slots.push({ bytes: sizes.get(id) ?? 0, taken: [] });
    slots[index]?.taken.push(life);
    slotOf.set(id, index);
  }
  return { slotBytes: slots.map(({ bytes }) => bytes), slotOf };
}

/** A slot for every storage: what {@link planMemory} is held against. */
export function ownMemory(
  lifetimes: ReadonlyMap<number, Lifetime>,
  sizes: ReadonlyMap<number, number>,
): MemoryPlan {
  const ids = [...lifetimes.keys()];
  return {
    slotBytes: ids.map((id) => sizes.get(id) ?? 0),
    slotOf: new Map(ids.map((id, slot) => [id, slot])),
  };
}
