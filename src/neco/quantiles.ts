/** Exact quantiles of all activations pooled, in two passes of counting at constant memory. */
import { at } from "../util/shape.ts";
import type { Block } from "./block.ts";
import type { TrainStatistics } from "./moments.ts";
import type { Calibration, ScoreState } from "./score.ts";

const HALF = 0x10000; // values of 16 bits
const SIGN = 0x8000_0000;

/** Whole numbers that sort as the floats do. */
const sortKey = (bits: number): number => (bits >= SIGN ? ~bits >>> 0 : bits + SIGN);

function fromSortKey(key: number): number {
  const bits = Uint32Array.of(key >= SIGN ? key - SIGN : ~key >>> 0);
  return at(new Float32Array(bits.buffer), 0);
}

/** Bits of the features on the host: counting is whole-number work that needs no upload. */
async function bitsOf(block: Block): Promise<Uint32Array> {
  const { buffer, byteOffset, length } = await block.hostFeatures();
  return new Uint32Array(buffer, byteOffset, length);
}

/** How many activations have each upper half of the sort key. */
class UpperCounts {
  readonly counts = new Float64Array(HALF);
  private last: { readonly block: Block; readonly done: Promise<void> } | null = null;
  private rowsLeft: number;

  constructor(rows: number) {
    this.rowsLeft = rows;
  }

  /** Counts a block, once however many ask, and nothing once all rows are counted. */
  observe(block: Block): Promise<void> {
    if (this.rowsLeft === 0) return Promise.resolve();
    if (this.last?.block !== block) this.last = { block, done: this.count(block) };
    return this.last.done;
  }

  private async count(block: Block): Promise<void> {
    const { counts } = this;
    this.rowsLeft -= block.rows;
    for (const bits of await bitsOf(block)) {
      const upper = sortKey(bits) >>> 16;
      counts[upper] = at(counts, upper) + 1;
    }
  }
}

// The first pass is the same whatever the quantile, so searches share it.
const firstPasses = new WeakMap<TrainStatistics, UpperCounts>();

/** The bin that holds the element of a rank, and the element's rank within the bin. */
function locate(
  counts: Float64Array,
  rank: number,
): { readonly bin: number; readonly rank: number } {
  let before = 0;
  for (const [bin, count] of counts.entries()) {
    if (rank < before + count) return { bin, rank: rank - before };
    before += count;
  }
  throw new RangeError(`no element has rank ${rank} among ${before}`);
}

/**
 * The quantiles of all N · D activations, interpolated linearly between the two nearest as numpy
 * does; `then` makes a state of them.
 * @param shares - each in [0, 1].
 */
export function calibrateQuantiles(
  train: TrainStatistics,
  shares: readonly number[],
  then: (quantiles: readonly number[]) => ScoreState,
): Calibration {
  const first = firstPasses.get(train) ?? new UpperCounts(train.count);
  firstPasses.set(train, first);
  const positions = shares.map((share) => share * (train.count * train.dim - 1));
  const ranks = positions.map((position) => [Math.floor(position), Math.ceil(position)] as const);
  const elementsToState = (element: (rank: number) => number): ScoreState =>
    then(
      ranks.map(([low, high], index) => {
        const start = element(low);
        return start + (element(high) - start) * (at(positions, index) - low);
      }),
    );
  return {
    observe: (block) => first.observe(block),
    finish: () => Promise.resolve(lowerPass(first.counts, ranks.flat(), elementsToState)),
  };
}

/** The second pass: counts of the lower halves in the bins that hold the wanted ranks. */
function lowerPass(
  upper: Float64Array,
  ranks: readonly number[],
  then: (element: (rank: number) => number) => ScoreState,
): Calibration {
  const places = new Map(ranks.map((rank) => [rank, locate(upper, rank)]));
  const bins = new Map([...places.values()].map(({ bin }) => [bin, new Float64Array(HALF)]));
  return {
    async observe(block) {
      for (const bits of await bitsOf(block)) {
        const key = sortKey(bits);
        const counts = bins.get(key >>> 16);
        if (counts) counts[key % HALF] = at(counts, key % HALF) + 1;
      }
    },
    finish: () =>
      Promise.resolve(
        then((rank) => {
          const place = places.get(rank);
          const counts = place && bins.get(place.bin);
          if (!counts) throw new RangeError(`rank ${rank} was not asked for`);
          return fromSortKey(place.bin * HALF + locate(counts, place.rank).bin);
        }),
      ),
  };
}
