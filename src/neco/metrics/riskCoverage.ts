/** Risk against coverage: how many errors remain when only the most confident samples are answered. */
import { DataError } from "../../util/errors.ts";
import { at } from "../../util/shape.ts";
import { idFirst } from "./thresholds.ts";
import type { Ranking, Scores } from "./thresholds.ts";
import { splitByOutcome } from "./outcomes.ts";
import type { Outcomes } from "./outcomes.ts";

/** The areas of one method, and its curve for plots. */
export interface RiskCoverage {
  /** Mean of the risk over all coverages k / n (Geifman and El-Yaniv, 2017). */
  readonly aurc: number;
  /** What of it a perfect order would save (Geifman, Uziel and El-Yaniv, 2019). */
  readonly eaurc: number;
  readonly curve: RiskCurve;
}

/** Risk at evenly spaced coverages, the last one 1. */
export interface RiskCurve {
  readonly coverage: Float64Array;
  readonly risk: Float64Array;
}

/** Coverages of a curve. */
const POINTS = 100;

/**
 * The risk–coverage figures of confidences, higher = answered first. Among equal confidences every
 * order is equally likely, and the expected risk is taken: the order of the samples does not matter.
 * @param isRight - 1 where the answer is right, 0 where it is wrong.
 * @throws DataError if there are no samples, or a confidence is NaN or Inf.
 */
export function riskCoverage(confidence: Scores, isRight: Outcomes): RiskCoverage {
  const ranking = splitByOutcome(confidence, isRight);
  const [rights, wrongs] = [ranking.id.length, ranking.ood.length];
  const total = rights + wrongs;
  if (total === 0) throw new DataError("risk–coverage needs at least one sample");
  // A perfect order has all wrong answers last: Σ_j j / (rights + j), j = 1 … wrongs.
  const best = risks(wrongs, { size: wrongs, answered: rights, errors: 0 });
  let area = 0;
  eachGroup(ranking, (wrong, group) => {
    area += risks(wrong, group);
  });
  return { aurc: area / total, eaurc: (area - best) / total, curve: curveOf(ranking, total) };
}

/** Samples of equal confidence: how many, and what was answered before them with how many errors. */
interface Group {
  readonly size: number;
  readonly answered: number;
  readonly errors: number;
}

function eachGroup(ranking: Ranking, visit: (wrong: number, group: Group) => void): void {
  let answered = 0;
  let errors = 0;
  idFirst(ranking).each((rights, wrongs) => {
    visit(wrongs - errors, { size: rights + wrongs - answered, answered, errors });
    answered = rights + wrongs;
    errors = wrongs;
    return true;
  });
}

/** Expected risk summed over the coverages within a group: Σ_j (errors + j·share) / (answered + j). */
function risks(wrong: number, { size, answered, errors }: Group): number {
  if (size === 0) return 0;
  const share = wrong / size;
  let harmonics = 0;
  for (let j = 1; j <= size; j++) harmonics += 1 / (answered + j);
  return size * share + (errors - share * answered) * harmonics;
}

function curveOf(ranking: Ranking, total: number): RiskCurve {
  const points = Math.min(POINTS, total);
  const counts = Float64Array.from({ length: points }, (_, point) =>
    Math.round(((point + 1) * total) / points),
  );
  const risk = new Float64Array(points);
  let point = 0;
  eachGroup(ranking, (wrong, { size, answered, errors }) => {
    for (; point < points && at(counts, point) <= answered + size; point++) {
      const count = at(counts, point);
      risk[point] = (errors + ((count - answered) * wrong) / size) / count;
    }
  });
  return { coverage: counts.map((count) => count / total), risk };
}
