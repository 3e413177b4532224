/** ViM: energy minus a virtual logit made of the residual, scaled to the training set's largest logits. */
import { at } from "../../util/shape.ts";
import { stateNumber } from "../arrays.ts";
import { logSumExp } from "../logits.ts";
import {
  fitPrincipal,
  principalParameters,
  ResidualSpace,
  takeResidualSpace,
  typicalLength,
} from "../principalSpace.ts";
import { afterwards } from "../score.ts";
import type { Calibration, FitContext, Score, ScoreState } from "../score.ts";

/** A mean residual this small beside ‖h − u‖ is rounding in f32, and α would amplify it. */
const ROUNDING = 1e-5;

/** α = mean max_c z_c / mean ‖(h − u)ᵀQ‖ over the training set. */
function calibrate({ engine, train }: FitContext, state: ScoreState): Calibration {
  const space = new ResidualSpace(engine, state);
  let rows = 0;
  let logits = 0;
  let norms = 0;
  return {
    async observe(block) {
      const { largest } = await block.logitStats();
      rows += block.rows;
      logits += largest.reduce((sum, z) => sum + z, 0);
      norms += (await space.norms(block)).reduce((sum, norm) => sum + norm, 0);
    },
    finish() {
      space.dispose();
      const isEmpty = norms / rows <= ROUNDING * typicalLength(train, state);
      const warnings = isEmpty
        ? [
            ...state.warnings,
            "vim: the training features lie inside the principal space, so the virtual logit is left out; choose a smaller --principal-dim",
          ]
        : state.warnings;
      const params = { ...state.params, alpha: isEmpty ? 0 : logits / norms };
      return Promise.resolve({ arrays: state.arrays, params, warnings });
    },
  };
}

/** log Σ exp z_c − α‖(h − u)ᵀQ‖. Wang et al., 2022. */
export const vim: Score = {
  name: "vim",
  aliases: [],
  title: "ViM",
  needs: ["features", "logits", "head"],
  parameters: principalParameters("vim"),
  fit: async (context) =>
    afterwards(await fitPrincipal("vim", context), (state) => calibrate(context, state)),
  bind(engine, state) {
    const { space, release } = takeResidualSpace(engine, state);
    const alpha = stateNumber(state, "alpha");
    return {
      async score(block) {
        const energies = logSumExp(await block.logitStats());
        const norms = await space.norms(block);
        return energies.map((energy, row) => energy - alpha * at(norms, row));
      },
      dispose: release,
    };
  },
};
