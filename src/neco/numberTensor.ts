/** Numbers as operands of GPU ops, and operands that are safe to divide by. */
import type { Engine, Tensor } from "../engine/index.ts";

/** One number as a tensor [1]. */
export const numberTensor = (engine: Engine, value: number): Tensor =>
  engine.tensor(Float32Array.of(value));

/** Below any length that features have, and far enough above 0 that what is divided by it stays finite. */
const SHORTEST = 1e-18;

/** Lengths to divide by, where a zero row must neither be NaN nor infinite: 0/0 is 0. */
export const safeLengths = (engine: Engine, lengths: Tensor): Tensor =>
  engine.ops.maximum(lengths, numberTensor(engine, SHORTEST));
