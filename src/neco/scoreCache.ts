/** What looking into a network took long to find, kept between evaluations; whoever has a folder fills it in. */
import type { FeatureSource } from "../io/index.ts";
import type { ScoreOptions } from "./options.ts";
import type { ScoreState } from "./score.ts";

/** Where a result is kept, and all that it depends on: one of another key is made anew. */
export interface CacheEntry {
  /** Such as `odin-svhn`; one result stays under each name. */
  readonly name: string;
  readonly key: string;
}

/** Keeps fitted states and score vectors; `make` runs where there is none of the key. */
export interface ScoreCache {
  state(entry: CacheEntry, make: () => Promise<ScoreState>): Promise<ScoreState>;
  values(entry: CacheEntry, make: () => Promise<Float64Array>): Promise<Float64Array>;
}

/** What a fit depends on; null where a source does not say what it holds. */
export function fitKey(
  method: string,
  train: FeatureSource,
  validation: FeatureSource | null,
  options: ScoreOptions,
): string | null {
  if (train.key === undefined || (validation && validation.key === undefined)) return null;
  const own = { ...options, methodParams: options.methodParams[method] ?? {} };
  return JSON.stringify([method, train.key, validation?.key ?? null, own]);
}

/** What a score vector depends on, beside the fit. */
export const scoresKey = (fit: string | undefined, source: FeatureSource): string | null =>
  fit === undefined || source.key === undefined ? null : JSON.stringify([fit, source.key]);
