/** What `neco tune` measured, kept per adapter and driver in the user's cache folder. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, exists, makeFolder, readBytes, writeAtomic } from "#platform";
import type { Engine } from "../engine/index.ts";
import type { TuneResult } from "../engine/tuner.ts";
import { isRecord } from "../io/json.ts";
import { FormatError } from "../util/errors.ts";
import { packageVersion } from "./program.ts";

const SCHEMA = "neco-webgpu/tuner@1";

/** The cache of one adapter. */
export interface TuneCache {
  readonly schema: typeof SCHEMA;
  readonly adapter: string;
  /** Of neco-webgpu: kernels change from version to version, and with them the picks. */
  readonly version: string;
  readonly results: readonly TuneResult[];
}

/** The cache file of an adapter: its driver's version is part of the description. */
export function tuneFile({ adapter }: Pick<Engine, "adapter">): string {
  const hash = createHash("sha256").update(adapter.description).digest("hex").slice(0, 12);
  return join(cacheFolder(), "tuner", `${hash}.json`);
}

const isResult = (value: unknown): value is TuneResult =>
  isRecord(value) &&
  typeof value["key"] === "string" &&
  typeof value["pick"] === "string" &&
  typeof value["standard"] === "string" &&
  isRecord(value["timings"]);

function parse(path: string, bytes: Uint8Array): TuneCache {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    value = null;
  }
  const results: unknown = isRecord(value) ? value["results"] : null;
  if (!isRecord(value) || value["schema"] !== SCHEMA || !Array.isArray(results))
    throw new FormatError(path, "is no tuner cache: remove it with `neco tune --clear`");
  return {
    schema: SCHEMA,
    adapter: String(value["adapter"]),
    version: String(value["version"]),
    results: results.filter(isResult),
  };
}

/**
 * What was measured on this adapter by this version; empty if nothing was.
 * @throws FormatError if the file is no tuner cache.
 */
export async function readTuned(engine: Pick<Engine, "adapter">): Promise<readonly TuneResult[]> {
  const path = tuneFile(engine);
  if (!(await exists(path))) return [];
  const { version, results } = parse(path, await readBytes(path));
  return version === packageVersion() ? results : [];
}

/** Adds results to the adapter's cache; a new one replaces what was known under its key. */
export async function keepTuned(
  engine: Pick<Engine, "adapter">,
  results: readonly TuneResult[],
): Promise<string> {
  const path = tuneFile(engine);
  const byKey = new Map((await readTuned(engine)).map((result) => [result.key, result]));
  for (const result of results) byKey.set(result.key, result);
  await makeFolder(join(cacheFolder(), "tuner"));
  const cache: TuneCache = {
    schema: SCHEMA,
    adapter: engine.adapter.description,
    version: packageVersion(),
    results: [...byKey.values()],
  };
  await writeAtomic(path, `${JSON.stringify(cache, null, 2)}\n`);
  return path;
}

/** Forgets what was measured on this adapter. */
export const clearTuned = (engine: Pick<Engine, "adapter">): Promise<void> =>
  rm(tuneFile(engine), { force: true });
