/** Whether a training reached its terminal phase, which neural collapse is a statement about. */
import type { NcJson } from "./collapse-input.ts";
import { count, percent } from "./format.ts";
import { html, type Markup } from "./html.ts";
import type { MetricRow } from "./input.ts";
import { evalRows } from "./training.ts";

const TERMINAL_ACCURACY = 0.999; // of the training set in eval mode; "zero error" up to odd labels

/** When a run reached the terminal phase and how far it went on, or why nothing is said. */
export type Phase =
  | { readonly kind: "unknown" }
  | { readonly kind: "before"; readonly accuracy: number; readonly step: number }
  | { readonly kind: "terminal"; readonly from: number; readonly to: number };

/** Terminal phase: the training accuracy in eval mode is at least 99.9 % and stays there. */
export function phaseOf(nc: NcJson | null, metrics: readonly MetricRow[]): Phase {
  const measured = [
    ...(nc?.steps ?? []).map(({ step, accuracy }) => ({ step, accuracy })),
    ...evalRows(metrics, "train").map(({ step, accuracy }) => ({ step, accuracy })),
  ].sort((a, b) => a.step - b.step);
  const last = measured[measured.length - 1];
  if (last === undefined) {
    return nc === null || nc.accuracy >= TERMINAL_ACCURACY
      ? { kind: "unknown" }
      : { kind: "before", accuracy: nc.accuracy, step: 0 };
  }
  if (last.accuracy < TERMINAL_ACCURACY)
    return { kind: "before", accuracy: last.accuracy, step: last.step };
  const below = measured.findLastIndex(({ accuracy }) => accuracy < TERMINAL_ACCURACY);
  return { kind: "terminal", from: measured[below + 1]?.step ?? last.step, to: last.step };
}

/** The sentence that a report owes its reader about {@link phaseOf}. */
export function phaseNote(phase: Phase): Markup {
  switch (phase.kind) {
    case "unknown":
      return html`<p class="note">
        The training accuracy in eval mode was not followed over the training, so nothing is claimed
        about its terminal phase.
      </p>`;
    case "before":
      return html`<p class="note">
        <strong>Not in the terminal phase of training:</strong> the training accuracy in eval mode
        is ${percent(phase.accuracy)} %, below the 99.9 % at which that phase begins. Neural
        collapse is a statement about the terminal phase; the figures below show where this network
        stands, not whether it holds.
      </p>`;
    case "terminal":
      return html`<p>
        In the terminal phase of training from step ${count(phase.from)} (training accuracy in eval
        mode ≥ 99.9 %), followed to step ${count(phase.to)}.
      </p>`;
  }
}
