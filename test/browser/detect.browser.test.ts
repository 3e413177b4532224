/** A detector made in Node judges the same digits alike in Node (`neco detect`) and in a page. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { dealDigits } from "../../demo/digits.ts";
import type { Digits } from "../../demo/digits.ts";
import type { Snapshot } from "../../demo/snapshot.ts";
import { Session } from "../../demo/train.ts";
import { Turns } from "../../demo/turns.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { loadMnist10k } from "../../src/data/mnist10k.ts";
import { createEngine } from "../../src/engine/index.ts";
import { openTestPage } from "./browser.ts";
import type { OpenPage } from "./browser.ts";
import type { PageJudgement } from "./page.ts";

const ROOT = join(import.meta.dirname, "../..");
const TOLERANCE = 1e-4; // relative: two adapters
const DETECTOR = "detector.safetensors";
const IMAGES = ["known.png", "held-out.png"] as const;

const folder = mkdtempSync(join(tmpdir(), "neco-detect-"));
let open: OpenPage;

/** Trains a nano ViT for a moment and writes its detector. */
async function makeDetector(digits: Digits): Promise<void> {
  const engine = await createEngine();
  const found: Snapshot[] = [];
  const ignore = (): void => undefined;
  const session = new Session(
    { engine, turns: new Turns() },
    digits,
    { model: "vit-nano-28", steps: 40, batchSize: 32, measureEvery: 40, seed: 3 },
    {
      onStep: ignore,
      onProgress: ignore,
      onMetrics: ignore,
      onSnapshot: (snapshot) => found.push(snapshot),
    },
  );
  await session.run();
  const bytes = await found.at(-1)?.judge.toBytes();
  if (!bytes) throw new Error("training left no snapshot");
  writeFileSync(join(folder, DETECTOR), bytes);
  engine.destroy();
}

async function savePng({ splits, width, height }: ImageDataset, name: string): Promise<void> {
  const pixels = await splits.test.images([0]);
  await sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(join(folder, name));
}

/** What `neco detect` says. */
async function judgedInNode(): Promise<PageJudgement[]> {
  const output = join(folder, "judged.json");
  await promisify(execFile)(process.execPath, [
    join(ROOT, "tools/neco.mjs"),
    ...["detect", "--detector", join(folder, DETECTOR), "--json", output],
    ...IMAGES.map((image) => join(folder, image)),
  ]);
  const { judgements } = JSON.parse(readFileSync(output, "utf8")) as {
    judgements: PageJudgement[];
  };
  return judgements;
}

beforeAll(async () => {
  const digits = dealDigits(await loadMnist10k(), { heldOut: "4,9", measured: 200, limit: 200 });
  await makeDetector(digits);
  await savePng(digits.known, IMAGES[0]);
  await savePng(digits.heldOut, IMAGES[1]);
  open = await openTestPage();
  for (const file of [DETECTOR, ...IMAGES])
    copyFileSync(join(folder, file), join(open.folder, file));
}, 300_000);
afterAll(async () => {
  await open.close();
  rmSync(folder, { recursive: true, force: true });
});

it("gives the same labels and scores", async () => {
  const node = await judgedInNode();
  const address = (file: string): string => new URL(file, open.address).href;
  const page = await open.page.evaluate(([detector, images]) => testPage.detect(detector, images), [
    address(DETECTOR),
    IMAGES.map(address),
  ] as const);
  expect(node.length).toBe(IMAGES.length);
  page.forEach(({ label, score, threshold, isOod }, index) => {
    const other = node[index];
    expect({ label, isOod }).toEqual({ label: other?.label, isOod: other?.isOod });
    expect(threshold).toBe(other?.threshold);
    expect(Math.abs(score - (other?.score ?? Number.NaN))).toBeLessThanOrEqual(
      TOLERANCE * Math.abs(score),
    );
  });
  expect(open.errors).toEqual([]);
});
