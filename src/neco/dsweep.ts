/** NECO at every d of a grid from one projection: AUROC and FPR against d. It sees the test OOD sets. */
import type { Engine } from "../engine/index.ts";
import type { FeatureSource, Head } from "../io/index.ts";
import { at } from "../util/shape.ts";
import { stateNumber } from "./arrays.ts";
import { eachBlock, headTensors } from "./block.ts";
import type { PassOptions } from "./block.ts";
import { oodMetrics } from "./metrics/index.ts";
import { NecoSpace } from "./necoSpace.ts";
import type { ScoreState } from "./score.ts";

/** Curves of one OOD set, a value per d. */
export interface SweepCurves {
  readonly auroc: readonly number[];
  readonly fpr_at_95_id_tpr: readonly number[];
  readonly fpr_at_95_ood_tpr: readonly number[];
}

/** `sweep.json`. It has seen the test OOD sets, so its best d may enter no table. */
export interface SweepJson {
  readonly schema: "neco-webgpu/sweep@1";
  readonly seen_test_ood: true;
  /** The d that the results use, chosen without OOD data. */
  readonly chosen: number;
  readonly d: readonly number[];
  readonly sets: Readonly<Record<string, SweepCurves>>;
}

/** What {@link sweepDims} takes. */
export interface SweepInput extends PassOptions {
  /** The fitted state of `neco`. */
  readonly state: ScoreState;
  readonly id: FeatureSource;
  readonly ood: readonly FeatureSource[];
  readonly weights: Head | null;
  /** d to visit; default: all below D up to 64 of them, else multiples of a round step. */
  readonly grid?: readonly number[];
}

const MAX_POINTS = 64;
const ROUND_STEPS = [1, 2, 5, 10, 20, 50, 100];

/** Default grid: 1 … D − 1, thinned to multiples of a round step. */
export function sweepGrid(width: number): number[] {
  const step = ROUND_STEPS.find((candidate) => width / candidate <= MAX_POINTS) ?? 100;
  const grid = Array.from({ length: Math.floor((width - 1) / step) }, (_, k) => (k + 1) * step);
  return grid.length > 0 ? grid : [1];
}

/** AUROC and both FPRs of NECO against d, one pass per set. */
export async function sweepDims(engine: Engine, input: SweepInput): Promise<SweepJson> {
  const space = new NecoSpace(engine, input.state);
  const head = input.weights ? headTensors(engine, input.weights) : null;
  const grid = input.grid ?? sweepGrid(space.width);
  const hasLogit = input.state.params["max_logit"] === true;
  const scoresOf = async (source: FeatureSource): Promise<Float64Array[]> => {
    const byDim = grid.map(() => new Float64Array(source.rows));
    let start = 0;
    await eachBlock(engine, source, { ...input, head, featuresOnly: !hasLogit }, async (block) => {
      const ratios = await space.ratiosAt(block, grid); // [B · grid]
      const factor = hasLogit ? (await block.logitStats()).largest : null;
      ratios.forEach((ratio, index) => {
        const row = Math.floor(index / grid.length);
        at(byDim, index % grid.length)[start + row] = ratio * (factor ? at(factor, row) : 1);
      });
      start += block.rows;
    });
    return byDim;
  };
  try {
    const known = await scoresOf(input.id);
    const sets: Record<string, SweepCurves> = {};
    for (const source of input.ood) sets[source.name] = curves(known, await scoresOf(source));
    const chosen = stateNumber(input.state, "d");
    return { schema: "neco-webgpu/sweep@1", seen_test_ood: true, chosen, d: grid, sets };
  } finally {
    space.dispose();
    head?.weight.dispose();
    head?.bias?.dispose();
  }
}

function curves(known: readonly Float64Array[], unknown: readonly Float64Array[]): SweepCurves {
  const metrics = known.map((id, index) => oodMetrics(id, at(unknown, index)));
  return {
    auroc: metrics.map(({ auroc }) => auroc),
    fpr_at_95_id_tpr: metrics.map(({ fpr_at_95_id_tpr }) => fpr_at_95_id_tpr),
    fpr_at_95_ood_tpr: metrics.map(({ fpr_at_95_ood_tpr }) => fpr_at_95_ood_tpr),
  };
}
