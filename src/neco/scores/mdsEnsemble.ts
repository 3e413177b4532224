/** Mahalanobis ensemble: distances in several layers, each after a step of the image towards its nearest class. */
import type { Engine, Tensor } from "../../engine/index.ts";
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { stateArray, stateNumber } from "../arrays.ts";
import { Block } from "../block.ts";
import { needModel } from "../imageModel.ts";
import type { ImageModel } from "../imageModel.ts";
import { ImageProgram } from "../imageProgram.ts";
import { inputGradient, signOf, stepAgainst } from "../inputGradient.ts";
import { ClassAccumulator, labelsPresent } from "../moments.ts";
import { chooseParameters, numeric } from "../parameters.ts";
import { isCalibration, jointly } from "../score.ts";
import type { Calibration, Fit, FitContext, NamedArray, Score, ScoreState } from "../score.ts";
import { ClassDistance, fitClassDistance } from "./mahalanobis.ts";

const NAME = "mds-ensemble";

const parameters = { noise: numeric(0.0014, { min: 0 }) };

/** Mean of the tokens that leave each block but the last, then h: L × [B, D]. */
function layersOf({ ops }: Engine, model: ImageModel, x: Tensor): Tensor[] {
  const pooled: Tensor[] = [];
  const { features } = model.forward(x, (tokens, layer) => {
    if (layer < model.depth - 1) pooled.push(ops.mean(tokens, { axes: [1] }));
    return tokens;
  });
  return [...pooled, features];
}

/** Blocks of features of single layers, computed once per block of images. */
class LayerBlocks {
  private readonly engine: Engine;
  private readonly program: ImageProgram<string>;
  private readonly depth: number;
  private last: { readonly block: Block; readonly layers: Promise<Block[]> } | null = null;

  constructor(engine: Engine, model: ImageModel) {
    this.engine = engine;
    this.depth = model.depth;
    this.program = new ImageProgram(engine, model, (x) =>
      Object.fromEntries(layersOf(engine, model, x).map((h, layer) => [String(layer), h])),
    );
  }

  of(block: Block): Promise<Block[]> {
    if (this.last?.block !== block) this.last = { block, layers: this.run(block) };
    return this.last.layers;
  }

  private async run(block: Block): Promise<Block[]> {
    const outputs = await this.program.run(block);
    return Array.from({ length: this.depth }, (_, layer) => {
      const features = outputs[String(layer)];
      if (!features) throw new RangeError(`there is no layer ${layer}`);
      return new Block(this.engine, features, null, { labels: block.labels });
    });
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** A fit of one layer's features as a fit that sees images. */
function onLayer(fit: Fit, blocks: LayerBlocks, layer: number): Fit {
  if (!isCalibration(fit)) return fit;
  return {
    observe: async (block) => fit.observe(at(await blocks.of(block), layer)),
    finish: async () => onLayer(await fit.finish(), blocks, layer),
  };
}

/** Class means of every layer in one pass, then their whitenings. */
function calibrate(context: FitContext, noise: number): Calibration {
  const { engine, train } = context;
  const model = needModel(context.model, NAME);
  if (!train.classes) throw new DataError(`${train.name}: ${NAME} needs labels`);
  const labels = labelsPresent(train.classes.labels);
  const blocks = new LayerBlocks(engine, model);
  const sums = Array.from(
    { length: model.depth },
    () => new ClassAccumulator(engine, labels, model.dim),
  );
  return {
    async observe(block) {
      if (!block.labels) throw new DataError(`${train.name}: ${NAME} needs labels`);
      const layers = await blocks.of(block);
      for (const [layer, sum] of sums.entries()) await sum.add(at(layers, layer), block.labels);
    },
    finish() {
      const fits = sums.map((sum, layer) => {
        const name = `${train.name}, layer ${layer}`;
        const own = { ...context, train: { ...train, name, classes: sum.finish() } };
        return onLayer(fitClassDistance(own), blocks, layer);
      });
      const done = (states: readonly ScoreState[]): ScoreState => {
        blocks.dispose();
        return merged(states, noise);
      };
      return Promise.resolve(jointly(fits, done));
    },
  };
}

function merged(states: readonly ScoreState[], noise: number): ScoreState {
  const arrays: Record<string, NamedArray> = {};
  for (const [layer, state] of states.entries())
    for (const [name, array] of Object.entries(state.arrays)) arrays[`${layer}/${name}`] = array;
  const cut = states.reduce((sum, { params }) => sum + Number(params["cut"]), 0);
  return { arrays, params: { noise, layers: states.length, cut }, warnings: [] };
}

/** The state of one layer, as Mahalanobis has it. */
const layerState = (state: ScoreState, layer: number): ScoreState => ({
  arrays: {
    means: stateArray(state, `${layer}/means`),
    whiten: stateArray(state, `${layer}/whiten`),
  },
  params: {},
  warnings: [],
});

/**
 * −Σ_l min_c (h_l(x′_l) − μ_lc)ᵀ Σ_l⁺ (h_l(x′_l) − μ_lc), x′_l = x − ε sign(∇ₓ of that distance)/std, all
 * layers weighed alike. Lee et al., 2018. A ViT's layers are the mean tokens that leave its blocks, but
 * for the last, whose is h.
 */
export const mdsEnsemble: Score = {
  name: NAME,
  aliases: ["mds_ensemble"],
  title: "Mahalanobis ensemble",
  needs: ["images", "labels"],
  parameters,
  fit(context) {
    const { noise } = chooseParameters(NAME, parameters, context.options);
    return Promise.resolve(calibrate(context, noise));
  },
  bind(engine, state, given) {
    const { ops } = engine;
    const model = needModel(given, NAME);
    const noise = stateNumber(state, "noise");
    const distances = Array.from(
      { length: model.depth },
      (_, layer) => new ClassDistance(engine, layerState(state, layer)),
    );
    const program = new ImageProgram(engine, model, (x) => {
      const squares = distances.map((distance, layer) => {
        const squaresOf = (y: Tensor): Tensor =>
          distance.squares(at(layersOf(engine, model, y), layer));
        const { gradient } = inputGradient(engine, x, () => ({ objective: squaresOf(x) }));
        const { std } = model;
        return squaresOf(stepAgainst(engine, x, signOf(engine, gradient), { noise, std }));
      });
      return { total: squares.reduce((sum, square) => ops.add(sum, square)) };
    });
    return {
      async score(block) {
        const { total } = await program.run(block);
        return Float64Array.from(await total.floats(), (square) => -square);
      },
      dispose() {
        program.dispose();
        for (const distance of distances) distance.dispose();
      },
    };
  },
};
