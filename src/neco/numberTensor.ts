/** Numbers as operands of GPU ops. */
import type { Engine, Tensor } from "../engine/index.ts";

/** One number as a tensor [1]. */
export const numberTensor = (engine: Engine, value: number): Tensor =>
  engine.tensor(Float32Array.of(value));
