/** Dynamic loss scaling, whose state stays on the GPU: an update that overflowed needs no host. */
import { lossScale as lossScaleShader } from "../../shaders/lossScale.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { sizeOf } from "../util/shape.ts";
import { checkScalars } from "./arena.ts";
import { defineOp, need } from "./op.ts";
import type { InputMetas } from "./op.ts";
import { f, reads, writes } from "./pass.ts";

/** Values of a loss scale's state: factor, skipped updates, scale, good updates in a row. */
const STATE = 4;

/**
 * After each backward pass, from the squared norm [1] of gradients of scale · loss, in place: were
 * all finite, factor ← min(1, maxNorm / norm) / scale (maxNorm 0: 1 / scale), and after `growAfter`
 * such updates the scale doubles; else factor ← 0, the update counts as skipped, and the scale
 * halves. state [4] is the gradScale of an optimizer: [factor, skipped, scale, good].
 */
export const lossScale = defineOp({
  name: "lossScale",
  inputs: ["state", "squaredNorm"],
  outputs: [],
  mutates: [0],
  defaults: { maxNorm: 0, growAfter: 2000 },
  infer(inputs) {
    checkScalars("lossScale", inputs, { state: [0, STATE], squaredNorm: [1, 1] });
    return [];
  },
  variants: {
    single: {
      usable: () => true,
      plan: (_inputs, { maxNorm, growAfter }) => ({
        temps: [],
        passes: [
          {
            label: "lossScale [4]",
            code: lossScaleShader({ clips: maxNorm > 0 }),
            bindings: [...writes("in0"), ...reads("in1")],
            params: [f(maxNorm), f(growAfter)],
            grid: [1, 1, 1],
          },
        ],
      }),
    },
  },
  grad: null, // a statement, not a value
});

/** Whether an optimizer's gradScale is the state of {@link lossScale}, which may skip the update. */
export const canSkip = (inputs: InputMetas, index: number): boolean =>
  sizeOf(need(inputs, index).shape) === STATE;

/**
 * Checks an optimizer's gradScale: a factor, or the state of {@link lossScale}.
 * @throws ShapeError if it is neither.
 */
export function checkGradScale(op: string, inputs: InputMetas, index: number): void {
  const { shape } = need(inputs, index);
  if (sizeOf(shape) !== 1 && !canSkip(inputs, index))
    throw new ShapeError(op, "gradScale must hold 1 value, or the 4 of lossScale", {
      gradScale: shape,
    });
}
