/** Which samples each bootstrap replicate holds, drawn once for all rankings of as many samples. */
import { randomSource } from "../../util/random.ts";
import { at } from "../../util/shape.ts";

/** What draws depend on. */
export interface Drawing {
  readonly seed: number;
  /** Draws of another stream are independent. */
  readonly stream: number;
  readonly replicates: number;
}

/** How often each of the samples comes up in a replicate; asked for in ascending order: [samples]. */
export type DrawnSamples = (replicate: number) => Uint8Array;

/** Counts of a drawing that are kept; larger ones are drawn anew every time. */
const MOST_KEPT = 64 << 20; // bytes

/**
 * Draws as many samples with replacement as there are. A table of 40 methods on the same sets asks
 * for the same draws 40 times, and drawing takes longer than all figures of what was drawn.
 */
export class SampleDraws {
  private readonly kept = new Map<string, DrawnSamples>();

  /** The draws of `total` samples. */
  of({ seed, stream, replicates }: Drawing, total: number): DrawnSamples {
    const { below } = randomSource({ seed, stream });
    const fill = (counts: Uint8Array): Uint8Array => {
      counts.fill(0);
      for (let draw = 0; draw < total; draw++) {
        const sample = below(total);
        counts[sample] = at(counts, sample) + 1;
      }
      return counts;
    };
    if (replicates * total > MOST_KEPT) {
      const counts = new Uint8Array(total);
      return () => fill(counts);
    }
    const key = [seed, stream, replicates, total].join();
    const known = this.kept.get(key);
    if (known) return known;
    const all = new Uint8Array(replicates * total);
    let drawn = 0;
    const draws: DrawnSamples = (replicate) => {
      const row = (index: number): Uint8Array => all.subarray(index * total, (index + 1) * total);
      for (; drawn <= replicate; drawn++) fill(row(drawn));
      return row(replicate);
    };
    this.kept.set(key, draws);
    return draws;
  }
}
