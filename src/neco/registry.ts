/** All scores by name: adding one is a file in scores/ and a line here. */
import { UsageError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { Score } from "./score.ts";
import { adascaleA, adascaleL } from "./scores/adascale.ts";
import { ashB, ashP, ashS } from "./scores/ash.ts";
import { cfood } from "./scores/cfood.ts";
import { dice } from "./scores/dice.ts";
import { dropout } from "./scores/dropout.ts";
import { energy } from "./scores/energy.ts";
import { ensemble } from "./scores/ensemble.ts";
import { entropy } from "./scores/entropy.ts";
import { fdbd } from "./scores/fdbd.ts";
import { gen } from "./scores/gen.ts";
import { gmm } from "./scores/gmm.ts";
import { gradnorm } from "./scores/gradnorm.ts";
import { gram } from "./scores/gram.ts";
import { klmatching } from "./scores/klmatching.ts";
import { knn } from "./scores/knn.ts";
import { mahalanobis } from "./scores/mahalanobis.ts";
import { maxlogit } from "./scores/maxlogit.ts";
import { mdsEnsemble } from "./scores/mdsEnsemble.ts";
import { msp } from "./scores/msp.ts";
import { nci } from "./scores/nci.ts";
import { neco, necoNologit } from "./scores/neco.ts";
import { nnguide } from "./scores/nnguide.ts";
import { nusa } from "./scores/nusa.ts";
import { iodin, odin } from "./scores/odin.ts";
import { openmax } from "./scores/openmax.ts";
import { rankfeat } from "./scores/rankfeat.ts";
import { react } from "./scores/react.ts";
import { relation } from "./scores/relation.ts";
import { residual } from "./scores/residual.ts";
import { rmds } from "./scores/rmds.ts";
import { scale } from "./scores/scale.ts";
import { she } from "./scores/she.ts";
import { temperature } from "./scores/temperature.ts";
import { vim } from "./scores/vim.ts";
import { vra } from "./scores/vra.ts";

/** The scores in the order that tables list them. */
export const scores: readonly Score[] = [
  msp,
  maxlogit,
  energy,
  vim,
  neco,
  necoNologit,
  residual,
  mahalanobis,
  rmds,
  gmm,
  temperature,
  entropy,
  gen,
  klmatching,
  openmax,
  react,
  vra,
  ashB,
  ashP,
  ashS,
  scale,
  dice,
  gradnorm,
  nusa,
  she,
  fdbd,
  nci,
  knn,
  nnguide,
  relation,
  cfood,
  dropout,
  ensemble,
  odin,
  iodin,
  gram,
  rankfeat,
  adascaleA,
  adascaleL,
  mdsEnsemble,
];

/**
 * A score by name or alias, among the built-in ones and those given.
 * @throws UsageError naming the nearest score, if one is close, where there is none.
 */
export function findScore(name: string, known: readonly Score[] = scores): Score {
  const wanted = name.trim().toLowerCase();
  const found = known.find((score) => score.name === wanted || score.aliases.includes(wanted));
  if (found) return found;
  const names = known.flatMap((score) => [score.name, ...score.aliases]);
  const nearest = names.reduce(
    (best, candidate) => (distance(wanted, candidate) < distance(wanted, best) ? candidate : best),
    at(names, 0),
  );
  const isClose = distance(wanted, nearest) <= nearest.length / 2;
  throw new UsageError(
    `unknown method "${name}": ${isClose ? `did you mean ${nearest}? Known: ` : "choose from "}${known.map((score) => score.name).join(", ")}`,
  );
}

/**
 * The scores that a `--methods` list names, each once, in the tables' order. `neco` brings
 * `neco-nologit` along: results always hold both.
 * @throws UsageError if a name is unknown.
 */
export function chooseScores(
  methods: "all" | readonly string[],
  known: readonly Score[] = scores,
): readonly Score[] {
  if (methods === "all") return known;
  const chosen = new Set(methods.map((name) => findScore(name, known)));
  if (chosen.has(neco)) chosen.add(necoNologit);
  if (chosen.has(necoNologit)) chosen.add(neco);
  return known.filter((score) => chosen.has(score));
}

/** Insertions, deletions and replacements between two words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          at(row, j) + 1,
          at(next, j - 1) + 1,
          at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return at(row, b.length);
}
