/** Common sub-expressions: drops passes that compute again what an earlier one left. Pure. */
import { withStorages } from "./capture.ts";
import type { PassStep, RecordedStep } from "./capture.ts";
import type { ResolvedBinding } from "./executor.ts";
import type { Storage } from "./tensor.ts";

const isWrite = ({ access }: ResolvedBinding): boolean => access === "read_write";

/** Storages whose value may be taken from elsewhere: virtual, written once, not copied or returned. */
function replaceable(steps: readonly RecordedStep[], pinned: ReadonlySet<number>): Set<number> {
  const writers = new Map<number, number>();
  const fixed = new Set(pinned);
  for (const step of steps) {
    if (step.kind === "copy") for (const { virtual } of step.uses) fixed.add(virtual);
    for (const { virtual, writes } of step.uses)
      if (writes) writers.set(virtual, (writers.get(virtual) ?? 0) + 1);
  }
  const once = [...writers].filter(([virtual, count]) => virtual >= 0 && count === 1);
  return new Set(once.map(([virtual]) => virtual).filter((virtual) => !fixed.has(virtual)));
}

/** Numbers for objects and texts, so that keys stay short. */
class Numbers<T> {
  private readonly known = new Map<T, number>();
  of(value: T): number {
    const number = this.known.get(value) ?? this.known.size;
    this.known.set(value, number);
    return number;
  }
}

/** Names what passes compute: equal keys, equal results. */
class Keys {
  private readonly codes = new Numbers<string>();
  private readonly storages = new Numbers<Storage>();
  /** Writes to each storage so far: a value read before one is not the value read after it. */
  private readonly versions = new Map<Storage, number>();

  of({ pass, bindings }: PassStep["resolved"]): string {
    const places = bindings.map((binding) => {
      const { storage, offset, size, access } = binding;
      if (isWrite(binding)) return [access, storage.bytes, offset, size];
      return [access, this.storages.of(storage), this.versions.get(storage) ?? 0, offset, size];
    });
    return JSON.stringify([this.codes.of(pass.code), pass.params, pass.grid, places]);
  }

  /** Remembers that a storage changed. */
  wrote(storage: Storage): void {
    this.versions.set(storage, (this.versions.get(storage) ?? 0) + 1);
  }
}

/**
 * The steps without passes that have the code, params and operands of an earlier one; what read
 * their results reads the earlier ones'. Random draws repeat too: one stream and key, one mask.
 */
export function dropRepeats(
  steps: readonly RecordedStep[],
  pinned: ReadonlySet<number>,
): RecordedStep[] {
  const free = replaceable(steps, pinned);
  const keys = new Keys();
  const earlier = new Map<string, PassStep>();
  const instead = new Map<number, Storage>();
  return steps.flatMap((recorded): RecordedStep[] => {
    if (recorded.kind === "copy") {
      keys.wrote(recorded.target.storage);
      return [recorded];
    }
    const step = withStorages(recorded, instead);
    const { bindings } = step.resolved;
    const written = bindings.filter(isWrite);
    const key = keys.of(step.resolved);
    const isFree = written.every(({ storage }) => free.has(storage.virtual));
    const twin = isFree ? earlier.get(key) : undefined;
    if (!twin) {
      for (const { storage } of written) keys.wrote(storage);
      if (isFree) earlier.set(key, step);
      return [step];
    }
    bindings.forEach((binding, index) => {
      const same = twin.resolved.bindings[index];
      if (same && isWrite(binding)) instead.set(binding.storage.virtual, same.storage);
    });
    return [];
  });
}
