/** Logits of further models for the rows of a source: what an ensemble averages. */
import type { FeatureSource } from "../io/index.ts";
import { DataError } from "../util/errors.ts";

/** Why a set without them is of no use to an ensemble. */
export const ALONE =
  "needs logits of further models for the same samples: evaluate a run, with --ensemble RUN for each further one";

/** Reads the logits of every further model, M × [rows · C]. */
export type PeerLogits = (classes: number) => Promise<Float32Array[]>;

/**
 * The peers of rows `start` … of a source, read when they are asked for; null if it has none.
 * @throws DataError when they are read, if one is of other classes or samples, or holds NaN or Inf.
 */
export function peersOf(source: FeatureSource, start: number, rows: number): PeerLogits | null {
  const { name, peerLogits = [] } = source;
  if (peerLogits.length === 0) return null;
  return async (classes) => {
    const all = await Promise.all(peerLogits.map((read) => read(start, rows)));
    for (const [index, logits] of all.entries()) {
      const which = `${name}: the logits of further model ${index + 1}`;
      if (logits.length !== rows * classes)
        throw new DataError(
          `${which} are not of ${classes} classes for each sample: an ensemble needs the same classes and samples`,
        );
      if (!logits.every(Number.isFinite))
        throw new DataError(`${which} hold NaN or infinite values; extract them again`);
    }
    return all;
  };
}
