/** The tape of calls that reverse-mode differentiation walks backwards (autograd.ts). */
import type { Attrs, OpDef } from "../kernels/op.ts";
import type { Tensor } from "./tensor.ts";

/** One call as the tape keeps it. */
export interface TapeEntry {
  readonly op: OpDef;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly saved: readonly Tensor[];
  readonly attrs: Attrs;
}

/** Records the calls that lead from the watched tensors to a loss. */
export class Tape {
  readonly entries: TapeEntry[] = [];
  /** Ids of the watched tensors and of all that depends on them. */
  readonly tracked: Set<number>;

  /** @param watched - the tensors whose gradients will be asked for. */
  constructor(watched: readonly Tensor[]) {
    this.tracked = new Set(watched.map(({ id }) => id));
  }

  /** Keeps a call if a watched tensor leads into it. */
  record(
    op: OpDef,
    inputs: readonly (Tensor | null)[],
    results: readonly Tensor[],
    attrs: Attrs,
  ): void {
    if (!inputs.some((input) => input !== null && this.tracked.has(input.id))) return;
    const outputs = results.slice(0, op.outputs.length);
    for (const { id } of outputs) this.tracked.add(id);
    this.entries.push({ op, inputs, outputs, saved: results.slice(op.outputs.length), attrs });
  }
}
