/** NECO: the share of a feature's length inside the ID principal space, with and without the largest logit. */
import type { Engine } from "../../engine/index.ts";
import { at } from "../../util/shape.ts";
import { fitNecoSpace, NecoSpace } from "../necoSpace.ts";
import { afterwards, isCalibration, sharedCalibration } from "../score.ts";
import type { Fit, FitContext, Score, ScoreState } from "../score.ts";

// `neco` and `neco-nologit` share one fit and one projection per block.
const fits = new WeakMap<FitContext, Promise<Fit>>();
const spaces = new WeakMap<ScoreState["arrays"], NecoSpace>();

async function shareFit(context: FitContext): Promise<Fit> {
  const fit = await fitNecoSpace(context);
  return isCalibration(fit) ? sharedCalibration(fit) : fit;
}

async function fitOnce(context: FitContext, hasLogit: boolean): Promise<Fit> {
  const pending = fits.get(context) ?? shareFit(context);
  fits.set(context, pending);
  return afterwards(await pending, ({ arrays, params, warnings }) => ({
    arrays,
    params: { ...params, max_logit: hasLogit },
    warnings,
  }));
}

function bindOnce(engine: Engine, state: ScoreState): NecoSpace {
  const space = spaces.get(state.arrays) ?? new NecoSpace(engine, state);
  spaces.set(state.arrays, space);
  return space;
}

function release(state: ScoreState, space: NecoSpace): void {
  spaces.delete(state.arrays);
  space.dispose();
}

/** ‖P h‖ / ‖h‖. NECO, eq. 6, without the factor that transformers get. */
export const necoNologit: Score = {
  name: "neco-nologit",
  aliases: ["neco_nologit"],
  title: "NECO (no logit)",
  needs: ["features"],
  fit: (context) => fitOnce(context, false),
  bind(engine, state) {
    const space = bindOnce(engine, state);
    return {
      score: (block) => space.ratios(block),
      dispose: () => {
        release(state, space);
      },
    };
  },
};

/** ‖P h‖ / ‖h‖ · max_c z_c; the factor is off for ResNets. A negative largest logit flips the order, as published. */
export const neco: Score = {
  name: "neco",
  aliases: [],
  title: "NECO",
  needs: ["features", "logits"],
  fit: (context) => fitOnce(context, context.options.necoMaxLogit),
  bind(engine, state) {
    const space = bindOnce(engine, state);
    const hasLogit = state.params["max_logit"] !== false;
    return {
      async score(block) {
        const ratios = await space.ratios(block);
        if (!hasLogit) return ratios;
        const { largest } = await block.logitStats();
        return ratios.map((ratio, row) => ratio * at(largest, row));
      },
      dispose: () => {
        release(state, space);
      },
    };
  },
};
