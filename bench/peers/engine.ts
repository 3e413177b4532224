/** What an engine in JavaScript offers the bench; one file in engines/ for each. */
import type { Outputs } from "./check.ts";
import type { Available } from "./protocol.ts";
import type { HostInput, Work } from "./works.ts";

/** Inputs of a work by name. */
export type Inputs = Readonly<Record<string, HostInput>>;

/** A work that is set up: inputs uploaded, nothing compiled or run yet. */
export interface Prepared {
  /** Runs the work so often and waits until all of it is done. */
  run(repeats: number): Promise<void>;
  /** The outputs; for training, the losses of the first three steps. */
  result(): Promise<Outputs>;
}

/** An engine in its own process. */
export interface PeerEngine {
  /**
   * Opens the engine.
   * @throws Error that says why it cannot run here.
   */
  available(): Promise<Available>;
  /**
   * Sets a work up; called once in a process.
   * @throws Error that says why the engine cannot do it.
   */
  prepare(work: Work, inputs: Inputs): Promise<Prepared>;
}

/** The input, which the work's definition promises. */
export function given(inputs: Inputs, name: string): HostInput {
  const input = inputs[name];
  if (!input) throw new RangeError(`input ${name} is missing`);
  return input;
}

/** An input's values where they are f32. */
export function floats(inputs: Inputs, name: string): Float32Array {
  const { values } = given(inputs, name);
  if (!(values instanceof Float32Array)) throw new TypeError(`input ${name} is not f32`);
  return values;
}

/** Keeps the first losses of a training run, which are compared. */
export class FirstLosses {
  private readonly losses: number[] = [];
  private readonly wanted: number;

  /** @param wanted - how many are compared. */
  constructor(wanted: number) {
    this.wanted = wanted;
  }

  /** Whether a step's loss has to be read. */
  get open(): boolean {
    return this.losses.length < this.wanted;
  }

  /** Adds the next one. */
  push(loss: number): void {
    this.losses.push(loss);
  }

  /** Runs steps until all are there, and returns them. */
  async complete(step: () => Promise<void>): Promise<Float32Array> {
    while (this.open) await step();
    return Float32Array.from(this.losses);
  }
}
