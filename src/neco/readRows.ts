/** The rows of a block on their way from a source to the GPU: read, checked, uploaded. */
import type { Engine, Tensor } from "../engine/index.ts";
import type { FeatureSource } from "../io/index.ts";
import { assertFinite, assertLogits } from "./finite.ts";

/** Rows on the host and on the GPU; their tensors belong to no scope. */
export interface Rows {
  readonly host: Float32Array; // [B · D]
  readonly features: Tensor; // [B, D]
  /** The source's own; null without. */
  readonly logits: Tensor | null; // [B, C]
}

/** Which rows, and what of them. */
export interface RowsWanted {
  readonly start: number;
  readonly count: number;
  readonly withLogits: boolean;
}

/**
 * Reads rows of a source; free them with {@link freeRows}.
 * @throws DataError if a feature or logit is NaN or infinite: how many, and where the first is.
 */
export async function readRows(
  engine: Engine,
  source: FeatureSource,
  { start, count, withLogits }: RowsWanted,
): Promise<Rows> {
  const host = await source.features(start, count);
  await assertFinite(host, source, start);
  const logits = source.logits && withLogits ? await source.logits(start, count) : null;
  if (logits) await assertLogits(logits, source, start);
  return engine.detached(() => ({
    host,
    features: engine.tensor(host, [count, source.dim]),
    logits: logits && engine.tensor(logits, [count, logits.length / count]),
  }));
}

/** Gives the memory back. */
export function freeRows({ features, logits }: Rows): void {
  features.dispose();
  logits?.dispose();
}
