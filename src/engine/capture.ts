/** Records the passes of a program instead of running them. */
import type { Executor, ResolvedPass } from "./executor.ts";
import type { Step, Use } from "./plan.ts";
import { Storage } from "./tensor.ts";
import type { Tensor } from "./tensor.ts";

/** A recorded step: what {@link Step} says for the planner, and what replay needs. */
export type RecordedStep =
  | (Step & { readonly kind: "pass"; readonly resolved: ResolvedPass })
  | (Step & { readonly kind: "copy"; readonly source: Tensor; readonly target: Tensor });

/** A recorded dispatch. */
export type PassStep = Extract<RecordedStep, { kind: "pass" }>;

/** The step with virtual storages replaced by others. */
export function withStorages(step: PassStep, instead: ReadonlyMap<number, Storage>): PassStep {
  const { resolved, uses } = step;
  const bindings = resolved.bindings.map((binding) => {
    const storage = instead.get(binding.storage.virtual);
    return storage ? { ...binding, storage } : binding;
  });
  const moved = uses.map((use) => {
    const storage = instead.get(use.virtual);
    return storage ? { ...use, virtual: storage.virtual } : use;
  });
  return { ...step, uses: moved, resolved: { ...resolved, bindings } };
}

/** An executor that only takes notes. */
export class Recorder implements Executor {
  readonly steps: RecordedStep[] = [];
  /** Bytes of each virtual storage. */
  readonly sizes = new Map<number, number>();
  /** Real memory that the program uses, held until the program is disposed. */
  readonly held = new Set<Storage>();

  /** {@inheritDoc Executor.allocate} */
  allocate(bytes: number, label: string): Storage {
    const virtual = this.sizes.size;
    this.sizes.set(virtual, bytes);
    return new Storage({ bytes, label, buffer: null, virtual }, () => undefined);
  }

  /** {@inheritDoc Executor.enqueue} */
  enqueue(resolved: ResolvedPass): void {
    const uses = resolved.bindings.map(({ storage, offset, size, access }) =>
      this.use(storage, { offset, size, writes: access === "read_write" }),
    );
    this.steps.push({ kind: "pass", uses, resolved });
  }

  /** {@inheritDoc Executor.copy} */
  copy(source: Tensor, target: Tensor): void {
    const size = source.bytes;
    const uses = [
      this.use(source.storage, { offset: source.offset, size, writes: false }),
      this.use(target.storage, { offset: target.offset, size, writes: true }),
    ];
    this.steps.push({ kind: "copy", uses, source, target });
  }

  private use(storage: Storage, range: Pick<Use, "offset" | "size" | "writes">): Use {
    if (storage.virtual < 0 && !this.held.has(storage)) {
      storage.retain(); // scopes inside the body may free constants that replay still needs
      this.held.add(storage);
    }
    return { ...range, virtual: storage.virtual, real: storage.virtual < 0 ? storage : null };
  }
}
