/** The four regimes of test/golden/make_neco_goldens.py: feature files, and what float64 says of them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { loadFloats, openArrays, openFeatures, openHead } from "../../src/io/index.ts";
import type { FeatureFile, Head } from "../../src/io/index.ts";
import type { NcMetrics, OodMetrics } from "../../src/neco/index.ts";

/** Names of the regimes. */
export const regimes = ["plain", "collapsed", "heavy", "lowrank"] as const;
/** A regime's name. */
export type Regime = (typeof regimes)[number];

/** What the oracle says of one regime. */
export interface RegimeGolden {
  readonly chosen: {
    readonly vim: { readonly dim: number; readonly alpha: number };
    readonly mahalanobis: { readonly rank: number };
    readonly neco: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
  readonly accuracy: number;
  readonly results: Readonly<Record<string, Readonly<Record<string, OodMetrics>>>>;
  /** λmax over the eigenvalue that a score's pseudo-inverse or principal space ends at. */
  readonly reaches: Readonly<Record<string, number>>;
  readonly nc: NcMetrics;
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The oracle's figures. */
export const golden = JSON.parse(readFileSync(path("../golden/neco.json"), "utf8")) as {
  readonly regimes: Readonly<Record<Regime, RegimeGolden>>;
};

/** Path of a regime's file. */
export const regimeFile = (regime: Regime, file: string): string =>
  path(`../fixtures/neco/${regime}/${file}.npz`);

/** Feature files and head of a regime. */
export interface RegimeData {
  readonly train: FeatureFile;
  readonly test: FeatureFile;
  readonly near: FeatureFile;
  readonly far: FeatureFile;
  readonly head: Head;
}

const opened: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(opened.map((file) => file.close())));

/** Opens a regime; its files are closed when the test file ends. */
export async function openRegime(regime: Regime): Promise<RegimeData> {
  const open = async (file: string): Promise<FeatureFile> => {
    const features = await openFeatures(regimeFile(regime, file), file);
    opened.push(features);
    return features;
  };
  return {
    train: await open("train"),
    test: await open("test"),
    near: await open("near"),
    far: await open("far"),
    head: await openHead(regimeFile(regime, "head")),
  };
}

/** Arrays of a golden file by name. */
export async function goldenArrays(file: string): Promise<(name: string) => Promise<Float32Array>> {
  const store = await openArrays(path(`../golden/${file}.npz`));
  opened.push(store);
  return async (name) => {
    const array = await store.find(name);
    if (!array) throw new Error(`no golden ${name}`);
    return loadFloats(array);
  };
}

/** The oracle's score vectors of the regimes above: `regime/method/set`. */
export const goldenScores = (): ReturnType<typeof goldenArrays> => goldenArrays("neco-scores");
