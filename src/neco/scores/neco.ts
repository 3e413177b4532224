/** NECO: the share of a feature's length inside the ID principal space, with and without the largest logit. */
import { at } from "../../util/shape.ts";
import { fitNecoSpace, NecoSpace } from "../necoSpace.ts";
import { afterwards, isCalibration, sharedCalibration } from "../score.ts";
import type { Fit, FitContext, Score } from "../score.ts";
import { sharedSpaces } from "../sharedSpaces.ts";

// `neco` and `neco-nologit` share one fit and one projection per block.
const fits = new WeakMap<FitContext, Promise<Fit>>();
const takeSpace = sharedSpaces((engine, state) => new NecoSpace(engine, state));

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

/** ‖P h‖ / ‖h‖. NECO, eq. 6, without the factor that transformers get. */
export const necoNologit: Score = {
  name: "neco-nologit",
  aliases: ["neco_nologit"],
  title: "NECO (no logit)",
  needs: ["features"],
  fit: (context) => fitOnce(context, false),
  bind(engine, state) {
    const { space, release } = takeSpace(engine, state);
    return { score: (block) => space.ratios(block), dispose: release };
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
    const { space, release } = takeSpace(engine, state);
    const hasLogit = state.params["max_logit"] !== false;
    return {
      async score(block) {
        const ratios = await space.ratios(block);
        if (!hasLogit) return ratios;
        const { largest } = await block.logitStats();
        return ratios.map((ratio, row) => ratio * at(largest, row));
      },
      dispose: release,
    };
  },
};
