/** The page of the browser tests: the library and its oracles, called from Node by name. */
import { ImageDetector } from "../../src/image-detector.ts";
import { readImage } from "../../src/data/folder.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine } from "../../src/engine/index.ts";
import type { OpCases, Sample } from "../../src/kernels/case.ts";
import { cases } from "../../src/kernels/cases.ts";
import { opEntries } from "../../src/kernels/index.ts";
import { Detector } from "../../src/neco/index.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { checkForward, checkGradient, checkThrows, isHeld } from "../ops/check.ts";
import { title } from "../ops/samples.ts";
import { threeSteps } from "./three-steps.ts";
import type { ThreeSteps } from "./three-steps.ts";

/** What the checks of one op gave. */
export interface OpResult {
  readonly checks: number;
  /** Samples too large for a software adapter in a browser, or in a dtype that it lacks. */
  readonly left: number;
  readonly failures: readonly string[];
}

/** What a page says of an image, without the probabilities. */
export interface PageJudgement {
  readonly label: string | null;
  readonly score: number;
  readonly threshold: number;
  readonly isOod: boolean;
}

/** Functions that Node calls. */
export interface TestPage {
  adapter(): Promise<string>;
  checkOp(name: string): Promise<OpResult>;
  threeSteps(): Promise<ThreeSteps>;
  detect(detector: string, images: readonly string[]): Promise<PageJudgement[]>;
}

declare global {
  var testPage: TestPage;
}

const MAX_ELEMENTS = 10_000;
const GEOMETRY = { height: 28, width: 28, channels: 1 } as const;

let opened: Promise<Engine> | null = null;
const engineOf = (): Promise<Engine> => (opened ??= createEngine());

const isSmall = ({ inputs }: Sample): boolean =>
  inputs.every((spec) => spec === null || sizeOf(spec.shape) <= MAX_ELEMENTS);

globalThis.testPage = {
  adapter: async () => (await engineOf()).adapter.description,

  async checkOp(name) {
    const engine = await engineOf();
    const entry = opEntries().find(([known]) => known === name);
    if (!entry) throw new Error(`there is no op ${name}`);
    const [known, op] = entry;
    const oracle: OpCases = cases[known];
    const failures: string[] = [];
    let checks = 0;
    const check = async (what: string, run: () => Promise<void>): Promise<void> => {
      checks++;
      await run().catch((error: unknown) => {
        failures.push(`${what}: ${String(error)}`);
      });
    };
    const all = [...oracle.samples, ...(oracle.extremes ?? [])];
    const samples = all.filter((sample) => isHeld(engine, sample));
    const small = samples.filter(isSmall);
    for (const sample of small) {
      const row = { op, oracle, sample };
      // The variant that the page would pick; Node's tests go through all of them.
      await check(`${title(name, sample)} forward`, () => checkForward(engine, row));
      if (!op.grad || sample.gradient === false || !oracle.samples.includes(sample)) continue;
      await check(`${title(name, sample)} gradient`, () => checkGradient(engine, row));
    }
    for (const sample of (oracle.errors ?? []).filter((each) => isHeld(engine, each)))
      await check(`${title(name, sample)} throws`, () =>
        Promise.resolve().then(() => {
          checkThrows(engine, op, sample);
        }),
      );
    return { checks, left: all.length - small.length, failures };
  },

  threeSteps: async () => threeSteps(await engineOf()),

  async detect(detector, images) {
    const engine = await engineOf();
    const loaded = await Detector.load(detector, { engine });
    loaded.dispose();
    const judge = new ImageDetector(engine, loaded.spec, 1);
    const pixels = await Promise.all(images.map((image) => readImage(image, GEOMETRY)));
    const judgements = await judge.judge(pixels);
    judge.dispose();
    return judgements.map(({ label, score, threshold, isOod }) => ({
      label,
      score,
      threshold,
      isOod,
    }));
  },
};
