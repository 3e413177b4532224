/** Shows what the detector says of a drawn digit. */
import type { Judgement } from "../src/neco/index.ts";
import { byId, textElement } from "./dom.ts";

const figure = (value: number): string => value.toPrecision(4);
const percent = (share: number): string => `${(100 * share).toFixed(share > 0.995 ? 1 : 0)} %`;

/** A sentence in place of a judgement. */
export function sayVerdict(text: string): void {
  byId("verdict", HTMLElement).textContent = text;
}

/** Label, score, threshold, in or out; `step` is the judging model's. */
export function showVerdict(judgement: Judgement, recall: number, step: number): void {
  const { label, labelIndex, probs, score, threshold, isOod } = judgement;
  const probability = labelIndex === null ? undefined : probs[labelIndex];
  const name = label ?? "unknown";
  const guess = isOod ? `Nothing it knows; nearest ${name}` : `A ${name}`;
  byId("verdict", HTMLElement).replaceChildren(
    textElement("strong", guess),
    textElement("div", isOod ? "out of distribution" : "in distribution", isOod ? "out" : "in"),
    textElement(
      "div",
      `NECO score ${figure(score)}, threshold ${figure(threshold)}, which ${percent(recall)} of validation digits reach`,
    ),
    textElement(
      "div",
      `${probability === undefined ? "" : `softmax says ${name} with ${percent(probability)} · `}model of step ${step}`,
      "note",
    ),
  );
}
