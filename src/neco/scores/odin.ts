/** ODIN and IODIN: softmax at a high temperature after a step of the image towards confidence. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { stateNumber } from "../arrays.ts";
import { needModel } from "../imageModel.ts";
import { ImageProgram } from "../imageProgram.ts";
import { doubt, inputGradient, predictedMask, signOf, stepAgainst } from "../inputGradient.ts";
import { logMaxProbability, readLogitStats } from "../logits.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Score } from "../score.ts";

const parameters = {
  temperature: numeric(1000, { min: 0.01, grid: [1, 10, 100, 1000] }),
  noise: numeric(0.0014, { min: 0, grid: [0.0014, 0.0028] }),
};

/** Which elements of an image move, of its gradient [B, S, S, channels]: 1 or 0, or all. */
type Moved = (engine: Engine, gradient: Tensor) => Tensor | null;

/** 1 at the element with the largest slope of each image. */
const steepest: Moved = ({ ops }, gradient) => {
  const images = at(gradient.shape, 0);
  const elements = gradient.size / images;
  const sizes = ops.abs(ops.reshape(gradient, { shape: [images, elements] }));
  const first = ops.oneHot(ops.argmax(sizes), { classes: elements });
  return ops.reshape(first, { shape: gradient.shape });
};

function steppedScore(
  { name, title }: { readonly name: string; readonly title: string },
  moved: Moved,
): Score {
  return {
    name,
    aliases: [],
    title,
    needs: ["images", "logits"],
    parameters,
    fit: ({ options }) =>
      Promise.resolve({
        arrays: {},
        params: chooseParameters(name, parameters, options),
        warnings: [],
      }),
    bind(engine, state, given) {
      const model = needModel(given, name);
      const temperature = stateNumber(state, "temperature");
      const noise = stateNumber(state, "noise");
      const { ops } = engine;
      const program = new ImageProgram(engine, model, (x) => {
        const isPredicted = predictedMask(engine, model.forward(x).logits); // [B, C]
        const { gradient } = inputGradient(engine, x, () => ({
          objective: doubt(engine, model.forward(x).logits, isPredicted, temperature),
        }));
        const sign = signOf(engine, gradient);
        const mask = moved(engine, gradient);
        const step = mask ? ops.mul(sign, mask) : sign;
        const surer = stepAgainst(engine, x, step, { noise, std: model.std });
        return { logits: model.forward(surer).logits };
      });
      return {
        async score(block) {
          const { logits } = await program.run(block);
          const scaled = ops.affine(logits, { scale: 1 / temperature });
          return logMaxProbability(await readLogitStats(engine, scaled));
        },
        dispose: () => {
          program.dispose();
        },
      };
    },
  };
}

/**
 * log max softmax(z(x′)/T), x′ = x − ε sign(∇ₓ CE(z/T, ŷ))/std with sign(0) = 1. Liang et al., 2018;
 * signs and parameters as OpenOOD's.
 */
export const odin = steppedScore({ name: "odin", title: "ODIN" }, () => null);

/** ODIN with a step of one element only, the one with the largest slope. OpenOOD's `iodin`. */
export const iodin = steppedScore({ name: "iodin", title: "IODIN" }, steepest);
