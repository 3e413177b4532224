/** A run's folder as the training loop sees it: checkpoints written whole, old ones removed. */
import { rm } from "node:fs/promises";
import { writeAtomic } from "#platform";
import type { RunStore } from "../vit/index.ts";
import { optimizerPath } from "./models.ts";
import { appendMetrics, checkpointPath, listSteps, removeCheckpoints } from "./run-folder.ts";

/** Whether the checkpoint of a step stays besides the best and the last one. */
export type Keep = (step: number) => boolean;

/** Removes checkpoints that nothing needs any more; optimizer state stays only at the newest. */
async function prune(folder: string, keep: Keep, needed: ReadonlySet<number>): Promise<void> {
  const steps = await listSteps(folder);
  await removeCheckpoints(
    folder,
    steps.filter((step) => !needed.has(step) && !keep(step)),
  );
  const newest = Math.max(...steps);
  const stale = steps.filter((step) => step !== newest);
  await Promise.all(stale.map((step) => rm(optimizerPath(folder, step), { force: true })));
}

/** The store of a run; `best` is the step that was best so far, for a resumed run. */
export function folderStore(folder: string, keep: Keep, best: number | null): RunStore {
  let bestStep = best;
  return {
    async saveCheckpoint({ step, weights, optimizer }, { isBest }) {
      await writeAtomic(optimizerPath(folder, step), optimizer);
      // Weights last: a step is listed only once it is whole.
      await writeAtomic(checkpointPath(folder, step), weights);
      if (isBest) bestStep = step;
      await prune(folder, keep, new Set([step, bestStep ?? step]));
    },
    appendMetrics: (row) => appendMetrics(folder, row),
  };
}
