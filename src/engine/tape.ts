/** Reverse-mode automatic differentiation: a tape of calls, walked backwards. */
import type { GradOps } from "../kernels/grad-ops.ts";
import type { Attrs, OpDef } from "../kernels/op.ts";
import { CaptureError } from "../util/errors.ts";
import type { Engine } from "./engine.ts";
import { Tensor } from "./tensor.ts";

/** One call as the tape keeps it. */
interface Entry {
  readonly op: OpDef;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly saved: readonly Tensor[];
  readonly attrs: Attrs;
}

/** Records the calls that lead from the watched tensors to a loss. */
export class Tape {
  private readonly entries: Entry[] = [];
  private readonly tracked: Set<number>;

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

  /** Cotangents by tensor id after walking back from `loss`, whose own is 1. */
  backward(engine: Engine, loss: Tensor): Map<number, Tensor> {
    const cotangents = new Map<number, Tensor>([
      [loss.id, engine.tensor(new Float32Array([1]), loss.shape)],
    ]);
    // GradOps names the ops that gradients use; the engine's table has them all.
    const ops = engine.ops as unknown as GradOps<Tensor>;
    for (const entry of this.entries.toReversed()) this.walk(entry, cotangents, ops, engine);
    return cotangents;
  }

  private walk(
    entry: Entry,
    cotangents: Map<number, Tensor>,
    ops: GradOps<Tensor>,
    engine: Engine,
  ): void {
    const { op, inputs, outputs, saved, attrs } = entry;
    if (!outputs.some(({ id }) => cotangents.has(id))) return;
    if (!op.grad) throw new CaptureError(`${op.name} has no gradient rule`);
    const gs = outputs.map(({ id, shape }) => cotangents.get(id) ?? engine.zeros(shape));
    const needs = inputs.map((input) => input !== null && this.tracked.has(input.id));
    const present = inputs.map((input) => input ?? engine.absent);
    const shapes = present.map(({ shape }) => shape);
    const given = op.grad(gs, { inputs: present, outputs, saved, attrs, needs, shapes }, ops);
    inputs.forEach((input, index) => {
      const grad = given[index];
      if (!input || !grad || !needs[index]) return;
      const known = cotangents.get(input.id);
      cotangents.set(input.id, known ? ops.add(known, grad) : grad);
    });
  }
}

/** What a differentiated function returns: the loss, or a record that holds it. */
export type LossResult = Tensor | { readonly loss: Tensor };

/**
 * ∂loss/∂param for each of `params`, by reverse mode; `fn` runs once.
 * Parameters that do not reach the loss get zeros.
 *
 * @example
 * const \{ value, grads \} = valueAndGrad(engine, [w], () =\> ops.mean(ops.square(w)));
 */
export function valueAndGrad<T extends LossResult>(
  engine: Engine,
  params: readonly Tensor[],
  fn: () => T,
): { value: T; grads: Tensor[] } {
  return engine.scope(() => {
    const tape = new Tape(params);
    const value = engine.withTape(tape, fn);
    const loss = value instanceof Tensor ? value : value.loss;
    if (loss.size !== 1)
      throw new CaptureError(`the loss must have one element, not [${loss.shape.join(", ")}]`);
    const cotangents = tape.backward(engine, loss);
    const grads = params.map(({ id, shape }) => cotangents.get(id) ?? engine.zeros(shape));
    return { value, grads };
  });
}
