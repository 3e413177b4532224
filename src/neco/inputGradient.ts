/** Gradients with respect to images and steps along their signs: what ODIN and its kin share. */
import { valueAndGrad } from "../engine/index.ts";
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { LOWEST } from "./logits.ts";
import { numberTensor } from "./numberTensor.ts";

/** A function of images, and its slope. */
export interface InputGradient<T> {
  readonly value: T;
  /** ∂objective_b/∂x_b: [B, S, S, channels]. */
  readonly gradient: Tensor;
}

/**
 * The gradient of one number per image with respect to that image. Images do not mix, so the
 * gradient of the sum holds that of each.
 * @param fn - gives the `objective`, one number per image, and whatever else it made on the way.
 */
export function inputGradient<T extends { readonly objective: Tensor }>(
  engine: Engine,
  x: Tensor,
  fn: () => T,
): InputGradient<T> {
  const { value, grads } = valueAndGrad(engine, [x], () => {
    const made = fn();
    return { made, loss: engine.ops.sum(made.objective) };
  });
  const [gradient] = grads;
  if (!gradient) throw new RangeError("one tensor is watched, so there is one gradient");
  return { value: value.made, gradient };
}

/**
 * 1 at the predicted class, else 0: [B, C]. Made of logits outside of the tape, as a choice has no
 * slope; a program drops the forward pass that this repeats.
 */
export const predictedMask = ({ ops }: Engine, logits: Tensor): Tensor =>
  ops.oneHot(ops.argmax(logits), { classes: at(logits.shape, 1) });

/** The logit of the predicted class: [B, 1]. */
export const ownLogit = ({ ops }: Engine, logits: Tensor, isPredicted: Tensor): Tensor =>
  ops.sum(ops.mul(logits, isPredicted), { axes: [1], keepDims: true });

/**
 * log Σ exp of the other logits relative to the predicted one, at temperature T: [B, 1]. The
 * cross-entropy of the predicted class is log(1 + exp of it), so their gradients have the same signs,
 * but this one does not vanish where p rounds to 1.
 */
export function doubt(
  engine: Engine,
  logits: Tensor,
  isPredicted: Tensor,
  temperature: number,
): Tensor {
  const { ops } = engine;
  const perRow = { axes: [1], keepDims: true } as const;
  const own = ownLogit(engine, logits, isPredicted);
  const below = ops.affine(ops.sub(logits, own), { scale: 1 / temperature });
  const others = ops.where(isPredicted, numberTensor(engine, LOWEST), below);
  const largest = ops.max(others, perRow);
  return ops.add(largest, ops.log(ops.sum(ops.exp(ops.sub(others, largest)), perRow)));
}

/** 1 where g ≥ 0, else −1: OpenOOD's sign, which has no 0. */
export const signOf = (engine: Engine, g: Tensor): Tensor =>
  engine.ops.affine(engine.ops.greaterEqual(g, numberTensor(engine, 0)), { scale: 2, shift: -1 });

/** x − noise · sign / std, channel by channel: a step of `noise` in pixels of [0, 1]. */
export function stepAgainst(
  engine: Engine,
  x: Tensor,
  sign: Tensor,
  { noise, std }: { readonly noise: number; readonly std: readonly number[] },
): Tensor {
  const { ops } = engine;
  const size = engine.tensor(Float32Array.from(std, (deviation) => noise / deviation)); // [channels]
  return ops.sub(x, ops.mul(sign, size));
}
