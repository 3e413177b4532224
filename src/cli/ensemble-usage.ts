/** When `--ensemble` makes sense: looked at before anything is opened. */
import { chooseScores } from "../neco/registry.ts";
import { needsPeers } from "../neco/score.ts";
import { UsageError } from "../util/errors.ts";

/**
 * Passes if further runs are of use.
 * @throws UsageError without a run, or where the method that averages them is not asked for.
 */
export function assertEnsemble(
  { run, ensemble = [] }: { readonly run?: string; readonly ensemble?: readonly string[] },
  methods: "all" | readonly string[],
): void {
  if (ensemble.length === 0) return;
  if (run === undefined)
    throw new UsageError(
      "--ensemble needs --run: a feature file holds the logits of one model, so average those of several into it and take msp",
    );
  if (!chooseScores(methods).some(needsPeers))
    throw new UsageError("--ensemble is for the method ensemble: add it to --methods");
}
