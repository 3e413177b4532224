/** The form's settings; an address such as `?model=vit-tiny-28&steps=300&autostart=1` fills them in. */
import { byId } from "./dom.ts";
import type { TrainSettings } from "./train.ts";

/** All that the form and the address decide. */
export interface PageSettings extends TrainSettings {
  /** Digits as a list, such as `4,9`. */
  readonly heldOut: string;
  /** Training images that measurements look at. */
  readonly measured: number;
  /** At most so many images of each split; null for all. */
  readonly limit: number | null;
}

interface Defaults {
  readonly model: string;
  readonly steps: number;
  readonly batchSize: number;
  readonly measured: number;
}

/** A GPU trains to some 97 %; a software adapter shows the effect in a few minutes. */
const DEFAULTS = {
  gpu: { model: "vit-tiny-28", steps: 1200, batchSize: 128, measured: 2000 },
  software: { model: "vit-nano-28", steps: 300, batchSize: 64, measured: 640 },
} as const satisfies Record<string, Defaults>;

const HELD_OUT = "4,9";
const MEASUREMENTS = 12; // over a run: enough for a curve of NC1
const SEED = 7;

const address = (): URLSearchParams => new URLSearchParams(location.search);

/** Fills the form in for that kind of adapter. */
export function prepareForm(digits: readonly string[], isSoftware: boolean): void {
  const query = address();
  const defaults = DEFAULTS[isSoftware ? "software" : "gpu"];
  byId("model", HTMLSelectElement).value = query.get("model") ?? defaults.model;
  byId("steps", HTMLInputElement).value = query.get("steps") ?? String(defaults.steps);
  byId("batch", HTMLSelectElement).value = query.get("batch") ?? String(defaults.batchSize);
  const chosen = (query.get("holdout") ?? HELD_OUT).split(",");
  byId("held-out", HTMLElement).replaceChildren(
    ...digits.map((digit) => {
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", value: digit, checked: chosen.includes(digit) });
      const label = document.createElement("label");
      label.append(box, digit);
      return label;
    }),
  );
}

/**
 * The settings as they stand.
 * @throws Error if the choice of held-out digits leaves too few of either kind.
 */
export function readSettings(isSoftware: boolean): PageSettings {
  const query = address();
  const boxes = [...byId("held-out", HTMLElement).querySelectorAll("input")];
  const heldOut = boxes.filter(({ checked }) => checked).map(({ value }) => value);
  if (heldOut.length === 0 || boxes.length - heldOut.length < 2)
    throw new Error("hold out at least one digit and keep at least two to train on");
  const steps = byId("steps", HTMLInputElement).valueAsNumber;
  const { measured } = DEFAULTS[isSoftware ? "software" : "gpu"];
  return {
    model: byId("model", HTMLSelectElement).value,
    steps,
    batchSize: Number(byId("batch", HTMLSelectElement).value),
    heldOut: heldOut.join(","),
    measured: Number(query.get("measured") ?? measured),
    limit: query.has("limit") ? Number(query.get("limit")) : null,
    measureEvery: Number(query.get("every") ?? Math.max(10, Math.round(steps / MEASUREMENTS))),
    seed: Number(query.get("seed") ?? SEED),
  };
}

/** Whether the address asks to train at once. */
export const startsByItself = (): boolean => address().has("autostart");
