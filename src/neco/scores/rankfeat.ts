/** RankFeat: energy after taking the largest singular component out of the last blocks' tokens. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { normal } from "../../util/random.ts";
import { at } from "../../util/shape.ts";
import { stateNumber } from "../arrays.ts";
import { needModel } from "../imageModel.ts";
import type { ImageModel } from "../imageModel.ts";
import { ImageProgram } from "../imageProgram.ts";
import { logSumExp, readLogitStats } from "../logits.ts";
import { numberTensor } from "../numberTensor.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import type { Score } from "../score.ts";

const parameters = {
  temperature: numeric(1, { min: 0.01 }),
  iterations: numeric(20, { min: 1, isInteger: true }),
};

const TINY = 1e-30; // length that stands for 0
const SEED = 0; // of the vector that the iteration starts from: any but a singular one will do

/** Columns [B, K, 1] at length 1; those of zeros stay zero. */
function unit(engine: Engine, x: Tensor): Tensor {
  const { ops } = engine;
  const length = ops.sqrt(ops.sum(ops.square(x), { axes: [1], keepDims: true }));
  return ops.div(x, ops.maximum(length, numberTensor(engine, TINY)));
}

/** X − σ₁u₁v₁ᵀ of each image's tokens [B, T, D], by power iteration. */
function withoutTop(engine: Engine, tokens: Tensor, iterations: number): Tensor {
  const { ops } = engine;
  const dim = at(tokens.shape, 2);
  const start = engine.tensor(normal(dim, { seed: SEED }), [dim, 1]);
  let u = unit(engine, ops.matmul(tokens, start)); // [B, T, 1]
  for (let iteration = 0; iteration < iterations; iteration++) {
    const v = ops.matmul(tokens, u, null, { transposeA: true }); // σv of length at most σ₁: [B, D, 1]
    u = unit(engine, ops.matmul(tokens, v));
  }
  const row = ops.matmul(u, tokens, null, { transposeA: true }); // σ₁v₁ᵀ: [B, 1, D]
  return ops.sub(tokens, ops.matmul(u, row));
}

/** Mean of the logits with the component taken out behind the last block, and behind the one before. */
function fusedLogits(engine: Engine, model: ImageModel, x: Tensor, iterations: number): Tensor {
  const { ops } = engine;
  const logitsBehind = (target: number): Tensor =>
    model.forward(x, (tokens, layer) =>
      layer === target ? withoutTop(engine, tokens, iterations) : tokens,
    ).logits;
  const last = logitsBehind(model.depth - 1);
  if (model.depth === 1) return last;
  return ops.affine(ops.add(last, logitsBehind(model.depth - 2)), { scale: 0.5 });
}

/**
 * T log Σ exp(z/T), z the mean of the logits without the largest singular component of the tokens that
 * leave the last block, and of those that leave the one before. Song et al., 2022; fusion as OpenOOD's.
 */
export const rankfeat: Score = {
  name: "rankfeat",
  aliases: [],
  title: "RankFeat",
  needs: ["images"],
  parameters,
  fit: ({ options }) =>
    Promise.resolve({
      arrays: {},
      params: chooseParameters("rankfeat", parameters, options),
      warnings: [],
    }),
  bind(engine, state, given) {
    const model = needModel(given, "rankfeat");
    const temperature = stateNumber(state, "temperature");
    const iterations = stateNumber(state, "iterations");
    const program = new ImageProgram(engine, model, (x) => ({
      logits: fusedLogits(engine, model, x, iterations),
    }));
    return {
      async score(block) {
        const { logits } = await program.run(block);
        const scaled = engine.ops.affine(logits, { scale: 1 / temperature });
        const energies = logSumExp(await readLogitStats(engine, scaled));
        return energies.map((energy) => temperature * energy);
      },
      dispose: () => {
        program.dispose();
      },
    };
  },
};
