/** What happens to the steps of a program between recording and planning, in order. Pure. */
import type { Caps } from "../kernels/op.ts";
import type { RecordedStep, Recorder } from "./capture.ts";
import { fuseSteps } from "./fusion.ts";
import { liveSteps } from "./plan.ts";
import { recomputeLate } from "./recompute.ts";
import { dropRepeats } from "./repeats.ts";

/** Options of a program. */
export interface ProgramOptions {
  /** Drop repeated passes and merge elementwise ones into the kernels before them; default true. */
  readonly fuse?: boolean;
  /**
   * Make cheap values (activations, normalised rows) again for the backward pass instead of keeping
   * them: less memory for some more time; default false.
   */
  readonly recompute?: boolean;
  /**
   * Let values that are not alive together share memory; default true. Without it every value has
   * its own: what sharing is measured against.
   */
  readonly reuse?: boolean;
}

/** The steps that run, and how many came and went. */
export interface Optimised {
  readonly steps: readonly RecordedStep[];
  /** Passes that joined another one, or whose results an earlier one has. */
  readonly merged: number;
  /** Passes that run a second time. */
  readonly recomputed: number;
}

/** Drops what leads nowhere, then does what the options ask for. */
export function optimise(
  recorder: Recorder,
  pinned: ReadonlySet<number>,
  caps: Caps,
  { fuse = true, recompute = false }: ProgramOptions,
): Optimised {
  const live = liveSteps(recorder.steps, pinned);
  const needed = recorder.steps.filter((_, index) => live[index]);
  const once = fuse ? dropRepeats(needed, pinned) : needed;
  const rebuilt = recompute ? recomputeLate(once, pinned, recorder) : once;
  const steps = fuse ? fuseSteps(rebuilt, pinned, caps) : rebuilt;
  return {
    steps,
    merged: needed.length - once.length + (rebuilt.length - steps.length),
    recomputed: rebuilt.length - once.length,
  };
}
