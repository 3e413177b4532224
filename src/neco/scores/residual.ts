/** Residual: how far a feature lies from the principal space of the ID training features. */
import { fitPrincipal, principalParameters, takeResidualSpace } from "../principalSpace.ts";
import type { Score } from "../score.ts";

/** −‖(h − u)ᵀQ‖. ViM (Wang et al., 2022), section 4. */
export const residual: Score = {
  name: "residual",
  aliases: [],
  title: "Residual",
  needs: ["features", "head"],
  parameters: principalParameters("residual"),
  fit: (context) => fitPrincipal("residual", context),
  bind(engine, state) {
    const { space, release } = takeResidualSpace(engine, state);
    return {
      score: async (block) => (await space.norms(block)).map((norm) => -norm),
      dispose: release,
    };
  },
};
