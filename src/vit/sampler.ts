/** Which images make up which batch: a seeded shuffle of every epoch, endless and resumable. */
import type { Split } from "../data/dataset.ts";
import { shuffle } from "../util/random.ts";
import { at } from "../util/shape.ts";
import type { BatchInputs } from "./step.ts";
import { packPixels } from "./transform.ts";

/** Draws batches by their number alone, so that a resumed run sees the same images. */
export class Sampler {
  private readonly split: Split;
  private readonly seed: number;
  private epoch = -1;
  private order: ArrayLike<number> = [];

  /** @param seed - the run's. */
  constructor(split: Split, seed: number) {
    this.split = split;
    this.seed = seed;
  }

  /** Images number `start` to `start + count` of the endless stream of epochs. */
  indices(start: number, count: number): number[] {
    const { count: total } = this.split;
    return Array.from({ length: count }, (_, k) => {
      const epoch = Math.floor((start + k) / total);
      if (epoch !== this.epoch) {
        this.order = shuffle(total, this.seed, epoch);
        this.epoch = epoch;
      }
      return at(this.order, (start + k) % total);
    });
  }

  /**
   * Program inputs of micro-batch `micro` of update `step` (from 1).
   * @param batch - sizes: images of an update, and micro-batches it is split into.
   */
  async batch(
    step: number,
    micro: number,
    { batchSize, accumulate }: { batchSize: number; accumulate: number },
  ): Promise<BatchInputs> {
    const rows = batchSize / accumulate;
    const start = (step - 1) * batchSize + micro * rows;
    const indices = this.indices(start, rows);
    return {
      pixels: packPixels(await this.split.images(indices)),
      labels: Int32Array.from(indices, (index) => at(this.split.labels, index)),
      validRows: new Uint32Array([rows]),
      // The random streams of a micro-batch are its own: seed, then its number in the run.
      key: new Uint32Array([this.seed, 0, (step - 1) * accumulate + micro, 0]),
    };
  }
}
