/** What the page tells about its host: the adapter, what is missing, how training goes. */
import type { Engine } from "../src/engine/index.ts";
import type { TrainProgress } from "../src/vit/index.ts";
import { DeviceLostError } from "../src/util/errors.ts";
import { byId } from "./dom.ts";

/** Where a page is; tests and style sheets read it from the root element. */
export type PageState = "loading" | "ready" | "training" | "paused" | "done" | "failed";

/** Names the adapter, and says so when it is software. */
export function showAdapter({ adapter }: Engine): void {
  const line = byId("adapter", HTMLElement);
  const isSoftware = adapter.kind !== "gpu";
  line.textContent = isSoftware
    ? `Adapter: ${adapter.description}. This is a software adapter, many times slower than a GPU: choose the small model and few steps.`
    : `Adapter: ${adapter.description}`;
  line.classList.toggle("software", isSoftware);
  line.dataset["kind"] = adapter.kind;
}

/** Takes the search for an adapter off the page, when it ended without one. */
export function clearAdapter(): void {
  const line = byId("adapter", HTMLElement);
  if (line.dataset["kind"] === undefined) line.textContent = "";
}

/** One line on what went wrong, with the way out that the error names. */
export function showProblem(error: unknown): void {
  const line = byId("problem", HTMLElement);
  line.textContent = messageOf(error);
  line.hidden = false;
}

function messageOf(error: unknown): string {
  if (error instanceof DeviceLostError) return "The GPU was lost: reload the page to start again.";
  return error instanceof Error ? error.message : String(error);
}

/** Takes the line away. */
export function hideProblem(): void {
  byId("problem", HTMLElement).hidden = true;
}

/** Notes the state where the whole page can see it. */
export function setState(state: PageState): void {
  document.documentElement.dataset["state"] = state;
}

/** A sentence beside the controls. */
export function say(text: string): void {
  byId("status", HTMLElement).textContent = text;
}

/** The bar, moved after every step. */
export function showStep(step: number, steps: number): void {
  byId("progress", HTMLProgressElement).value = step / steps;
}

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;

/** Step, rate and time left. */
export function sayProgress({ step, steps, imagesPerSecond, etaSeconds }: TrainProgress): void {
  say(
    `Step ${step} of ${steps} · ${Math.round(imagesPerSecond)} images/s · ${duration(etaSeconds)} left`,
  );
}
