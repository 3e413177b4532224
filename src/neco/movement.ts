/** How far a network's features move when the least important elements of an image do: AdaScale's measure. */
import type { Engine, Tensor } from "../engine/index.ts";
import { at } from "../util/shape.ts";
import { needModel } from "./imageModel.ts";
import type { ImageModel } from "./imageModel.ts";
import { ImageProgram } from "./imageProgram.ts";
import { inputGradient, ownLogit, predictedMask } from "./inputGradient.ts";
import type { TrainStatistics } from "./moments.ts";
import { numberTensor } from "./numberTensor.ts";
import { sharedCalibration } from "./score.ts";
import type { Calibration, FitContext } from "./score.ts";
import { topElements } from "./topShare.ts";

const STEP = 0.5; // of the normalised input, as published

/** What decides how far an image's features move. */
export interface Movement {
  /** Percent of h, from the largest on, whose h′ counts … */
  readonly k1: number;
  /** … and whose change counts, */
  readonly k2: number;
  /** weighed so. */
  readonly lambda: number;
  /** Of an image's elements, those that move. */
  readonly share: number;
}

/** x with the share of elements whose slopes are smallest moved along them. */
function moved(engine: Engine, x: Tensor, gradient: Tensor, share: number): Tensor {
  const { ops } = engine;
  const images = at(x.shape, 0);
  const elements = x.size / images;
  const shape = [images, elements];
  const slopes = ops.reshape(gradient, { shape });
  const flatness = ops.neg(ops.abs(slopes));
  const count = Math.floor(elements * share);
  if (count === 0) return x;
  const bound = ops.min(ops.topk(flatness, { k: count }), { axes: [1], keepDims: true });
  const zero = numberTensor(engine, 0);
  const sign = ops.sub(ops.greater(slopes, zero), ops.greater(zero, slopes)); // 0 of 0
  const step = ops.mul(sign, ops.greaterEqual(flatness, bound));
  return ops.add(x, ops.affine(ops.reshape(step, { shape: x.shape }), { scale: STEP }));
}

/** Σ over the largest `percent` percent of h (at least one) of other numbers of theirs: [B, 1]. */
function sumAtTop(engine: Engine, h: Tensor, percent: number, values: Tensor): Tensor {
  const kept = Math.max(1, Math.floor((at(h.shape, 1) * percent) / 100));
  const { weights } = topElements(engine, h, kept);
  return engine.ops.sum(engine.ops.mul(weights, values), { axes: [1], keepDims: true });
}

/** Features, logits and Q′ = Σ_top relu(h′) + λ Σ_top |h − h′| of images; h′ = h of the moved image. */
export function movementProgram(
  engine: Engine,
  model: ImageModel,
  { k1, k2, lambda, share }: Movement,
): ImageProgram<"features" | "logits" | "movement"> {
  const { ops } = engine;
  return new ImageProgram(engine, model, (x) => {
    const { features, logits } = model.forward(x);
    const isPredicted = predictedMask(engine, logits);
    const { gradient } = inputGradient(engine, x, () => ({
      objective: ownLogit(engine, model.forward(x).logits, isPredicted),
    }));
    const { features: after } = model.forward(moved(engine, x, gradient, share));
    const left = ops.maximum(after, numberTensor(engine, 0));
    const change = ops.abs(ops.sub(features, after));
    const changes = ops.affine(sumAtTop(engine, features, k2, change), { scale: lambda });
    const movement = ops.add(sumAtTop(engine, features, k1, left), changes);
    return { features, logits, movement };
  });
}

// Both forms, and every pair that a search tries, stand on one look at the validation images.
const looks = new WeakMap<TrainStatistics, Map<string, Calibration>>();

/** Array `movements`: Q′ of the first validation images, at most `samples` of them, ascending. */
export function calibrateMovement(
  context: FitContext,
  movement: Movement,
  samples: number,
): Calibration {
  const known = looks.get(context.train) ?? new Map<string, Calibration>();
  looks.set(context.train, known);
  const key = JSON.stringify([movement, samples]);
  const found = known.get(key) ?? sharedCalibration(collectMovement(context, movement, samples));
  known.set(key, found);
  return found;
}

function collectMovement(context: FitContext, movement: Movement, samples: number): Calibration {
  const program = movementProgram(context.engine, needModel(context.model, "adascale"), movement);
  const values: number[] = [];
  let isDone = false;
  return {
    over: "validation",
    async observe(block) {
      if (isDone || values.length >= samples) return;
      values.push(...(await (await program.run(block)).movement.floats()));
    },
    finish() {
      isDone = true;
      program.dispose();
      const sorted = Float32Array.from(values.slice(0, samples)).sort();
      const movements = { shape: [sorted.length], values: sorted };
      return Promise.resolve({ arrays: { movements }, params: {}, warnings: [] });
    },
  };
}
