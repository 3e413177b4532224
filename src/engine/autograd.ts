/** Reverse-mode automatic differentiation: gradients by walking a tape backwards. */
import type { GradOps } from "../kernels/grad-ops.ts";
import { CaptureError } from "../util/errors.ts";
import type { Engine } from "./engine.ts";
import { Tape } from "./tape.ts";
import type { TapeEntry } from "./tape.ts";
import { Tensor } from "./tensor.ts";

/** Cotangents by tensor id after walking back from `loss`, whose own is 1. */
function backward(engine: Engine, tape: Tape, loss: Tensor): Map<number, Tensor> {
  const cotangents = new Map<number, Tensor>([
    [loss.id, engine.tensor(new Float32Array([1]), loss.shape)],
  ]);
  // GradOps names the ops that gradients use; the engine's table has them all.
  const ops = engine.ops as unknown as GradOps<Tensor>;
  for (const entry of tape.entries.toReversed()) walk(entry, { tape, cotangents, ops, engine });
  return cotangents;
}

interface Walk {
  readonly tape: Tape;
  readonly cotangents: Map<number, Tensor>;
  readonly ops: GradOps<Tensor>;
  readonly engine: Engine;
}

function walk(entry: TapeEntry, { tape, cotangents, ops, engine }: Walk): void {
  const { op, inputs, outputs, saved, attrs } = entry;
  if (!outputs.some(({ id }) => cotangents.has(id))) return;
  if (!op.grad) throw new CaptureError(`${op.name} has no gradient rule`);
  const gs = outputs.map(({ id, shape }) => cotangents.get(id) ?? engine.zeros(shape));
  const needs = inputs.map((input) => input !== null && tape.tracked.has(input.id));
  const present = inputs.map((input) => input ?? engine.absent);
  const shapes = present.map(({ shape }) => shape);
  const dtypes = present.map(({ dtype }) => dtype);
  const context = { inputs: present, outputs, saved, attrs, needs, shapes, dtypes };
  const given = op.grad(gs, context, ops);
  inputs.forEach((input, index) => {
    const grad = given[index];
    if (!input || !grad || !needs[index]) return;
    const known = cotangents.get(input.id);
    cotangents.set(input.id, known ? ops.add(known, grad) : grad);
  });
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
    const cotangents = backward(engine, tape, loss);
    const grads = params.map(({ id, shape }) => cotangents.get(id) ?? engine.zeros(shape));
    return { value, grads };
  });
}
