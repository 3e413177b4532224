/** Every score on every regime against a float64 oracle: vectors, AUROC, both FPRs, chosen parameters. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import { evaluateOod, scores } from "../../src/neco/index.ts";
import type { Evaluation, NecoDim, NecoMode, ScoreOptions } from "../../src/neco/index.ts";
import { needsImages } from "../../src/neco/score.ts";
import { compareMetrics, falseTies, largestOf, scoreError, scoreTolerance } from "./compare.ts";
import { golden, goldenScores, openRegime, regimes } from "./regimes.ts";
import type { Regime, RegimeData } from "./regimes.ts";

const FIXED_DIM = 12; // as in the oracle

let engine: Engine;
let expectedScores: (name: string) => Promise<Float32Array>;
const data = new Map<Regime, RegimeData>();

beforeAll(async () => {
  engine = await createEngine();
  expectedScores = await goldenScores();
  for (const regime of regimes) data.set(regime, await openRegime(regime));
});
afterAll(() => {
  engine.destroy();
});

function evaluate(
  regime: Regime,
  methods: "all" | string[],
  options: Partial<ScoreOptions>,
): Promise<Evaluation> {
  const { train, test: id, near, far, head } = data.get(regime)!;
  return evaluateOod({
    engine,
    train,
    id,
    head,
    ood: [
      { source: near, group: "near" },
      { source: far, group: "far" },
    ],
    methods,
    options,
  });
}

async function compare(
  { json, scores }: Evaluation,
  regime: Regime,
  method: string,
  oracle = method,
): Promise<void> {
  const result = json.results[method];
  expect(json.skipped[method]).toBeUndefined();
  const { results } = golden.regimes[regime];
  for (const [set, file] of [
    ["id", "test"],
    ["near", "near"],
    ["far", "far"],
  ] as const) {
    const want = await expectedScores(`${regime}/${oracle}/${file}`);
    const got = scores[`${method}/${set}`]!;
    const title = `${regime} ${oracle} ${set}`;
    const largest = largestOf(want); // of this set alone
    const allowed = largest * scoreTolerance();
    expect(scoreError(got, want), title).toBeLessThanOrEqual(allowed);
    expect(falseTies(got, want, largest), `${title}: ties that float64 lacks`).toBe(0);
  }
  const id = data.get(regime)!.test.rows;
  for (const set of ["near", "far"] as const) {
    const counts = { id, ood: data.get(regime)![set].rows };
    compareMetrics(
      `${regime} ${oracle} ${set}`,
      result!.sets[set]!,
      results[oracle]![set]!,
      counts,
    );
  }
}

describe.each(regimes)("%s", (regime) => {
  let all: Evaluation;
  beforeAll(async () => {
    all = await evaluate(regime, "all", {});
  });
  const ofFeatures = scores.filter((score) => !needsImages(score)).map(({ name }) => name);
  // In more-scores and ensemble.gpu.test.ts; all four in every regime of made.slow.gpu.test.ts.
  const elsewhere = ["dropout", "cfood", "gmm", "ensemble"];
  const named = ofFeatures.filter((name) => !name.startsWith("neco") && !elsewhere.includes(name));
  test.each(named)("%s", async (method) => {
    await compare(all, regime, method);
  });
  test("neco and neco-nologit by default: official, d = auto", async () => {
    await compare(all, regime, "neco", "neco/official/auto/standardised");
    await compare(all, regime, "neco-nologit", "neco-nologit/official/auto/standardised");
    expect(all.json.results["neco"]!.params["d"]).toBe(
      golden.regimes[regime].chosen.neco["official"]!["auto"],
    );
  });
  test("ViM's α and dimension, ID accuracy, averages", () => {
    const { chosen, accuracy } = golden.regimes[regime];
    const { params } = all.json.results["vim"]!;
    expect(params["principal_dim"]).toBe(chosen.vim.dim);
    expect(Number(params["alpha"]) / chosen.vim.alpha).toBeCloseTo(1, 4);
    expect(all.json.id).toMatchObject({ n: 200, accuracy });
    const { near, far, average, sets } = all.json.results["vim"]!;
    expect(near!.auroc).toBe(sets["near"]!.auroc);
    expect(average!.auroc).toBeCloseTo((near!.auroc + far!.auroc) / 2, 12);
  });
  const modes: [NecoMode, ScoreOptions["necoDenominator"], string][] = [
    ["official", "standardised", "standardised"],
    ["official", "raw", "raw"],
    ["paper", "default", "raw"],
    ["paper-centred", "default", "raw"],
  ];
  const dims: [string, NecoDim][] = [
    ["auto", "auto"],
    ["fixed", FIXED_DIM],
    ["classes", "classes"],
  ];
  test.each(modes)("neco, mode %s, denominator %s", async (necoMode, necoDenominator, key) => {
    for (const [choice, necoDim] of dims) {
      const run = await evaluate(regime, ["neco"], { necoMode, necoDenominator, necoDim });
      await compare(run, regime, "neco", `neco/${necoMode}/${choice}/${key}`);
      await compare(run, regime, "neco-nologit", `neco-nologit/${necoMode}/${choice}/${key}`);
    }
  });
  test("neco without the largest logit is neco-nologit", async () => {
    const run = await evaluate(regime, ["neco"], { necoMaxLogit: false });
    expect(run.scores["neco/id"]).toEqual(run.scores["neco-nologit/id"]);
  });
});

test("MSP makes no ties that float64 lacks, though every p rounds to 1", async () => {
  const { scores } = await evaluate("collapsed", ["msp"], {});
  const own = scores["msp/id"]!;
  expect(own.every((score) => Math.fround(Math.exp(score)) === 1)).toBe(true);
  expect(new Set(own).size).toBe(own.length);
});
