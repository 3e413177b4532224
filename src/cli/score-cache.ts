/** Scores that took a look into the network, kept in a run's folder: an evaluation that was stopped goes on there. */
import { exists, writeAtomic } from "#platform";
import type { AdapterSummary } from "../engine/index.ts";
import {
  hostArray,
  loadDoubles,
  loadFloats,
  openArrays,
  serialiseSafetensors,
  type ArrayStore,
  type HostArray,
} from "../io/index.ts";
import type { NamedArray, ScoreState } from "../neco/index.ts";
import type { CacheEntry, ScoreCache } from "../neco/scoreCache.ts";
import { packageVersion } from "./program.ts";
import type { LoadedModel } from "./models.ts";
import { keptScoresPath, makeKeptScoresFolder } from "./run-folder.ts";

const VALUES = "scores";

/** What a file holds beside its arrays: parameters and warnings of a fitted state. */
type Facts = Pick<ScoreState, "params" | "warnings">;

/** A file of kept results, if it is whole and of that key. */
async function openKept(path: string, key: string): Promise<ArrayStore | null> {
  if (!(await exists(path))) return null;
  const store = await openArrays(path).catch(() => null);
  if (store?.metadata["key"] === key) return store;
  await store?.close();
  return null;
}

async function floatsOf(store: ArrayStore): Promise<Record<string, NamedArray>> {
  const arrays: Record<string, NamedArray> = {};
  for (const name of store.names) {
    const array = await store.find(name);
    if (array) arrays[name] = { shape: array.shape, values: await loadFloats(array) };
  }
  return arrays;
}

/** How a kind of result is read from a file and written to one. */
interface Form<T> {
  read(store: ArrayStore): Promise<T | null>;
  arrays(result: T): Readonly<Record<string, HostArray>>;
  facts(result: T): Facts;
}

const stateForm: Form<ScoreState> = {
  async read(store) {
    const { params, warnings } = JSON.parse(store.metadata["facts"] ?? "{}") as Facts; // by keep
    return { arrays: await floatsOf(store), params, warnings };
  },
  arrays: ({ arrays }) =>
    Object.fromEntries(
      Object.entries(arrays).map(([name, { values, shape }]) => [name, hostArray(values, shape)]),
    ),
  facts: ({ params, warnings }) => ({ params, warnings }),
};

const valuesForm: Form<Float64Array> = {
  async read(store) {
    const kept = await store.find(VALUES);
    return kept ? loadDoubles(kept) : null;
  },
  arrays: (values) => ({ [VALUES]: hostArray(values) }),
  facts: () => ({ params: {}, warnings: [] }),
};

/** The result of a file, if it is whole and of that key; else made, and the file replaced. */
async function keep<T>(
  path: string,
  key: string,
  form: Form<T>,
  make: () => Promise<T>,
): Promise<T> {
  const store = await openKept(path, key);
  const known = store ? await form.read(store) : null;
  await store?.close();
  if (known !== null) return known;
  const result = await make();
  const metadata = { key, facts: JSON.stringify(form.facts(result)) };
  await writeAtomic(path, await serialiseSafetensors(form.arrays(result), metadata));
  return result;
}

/** Keeps what the run's network says, of this checkpoint, version and adapter. */
export function runScoreCache(
  engine: { readonly adapter: Pick<AdapterSummary, "description"> },
  {
    folder,
    model,
  }: { readonly folder: string; readonly model: Pick<LoadedModel, "hash" | "step"> },
): ScoreCache {
  const through = async <T>(
    { name, key }: CacheEntry,
    form: Form<T>,
    make: () => Promise<T>,
  ): Promise<T> => {
    const whole = [packageVersion(), engine.adapter.description, model.hash, key];
    await makeKeptScoresFolder(folder);
    return keep(keptScoresPath(folder, name, model.step), JSON.stringify(whole), form, make);
  };
  return {
    state: (entry, make) => through(entry, stateForm, make),
    values: (entry, make) => through(entry, valuesForm, make),
  };
}
