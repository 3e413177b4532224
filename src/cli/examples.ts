/** A few images of every set with what the detector says of them. */
import sharp from "sharp";
import type { ImageDataset, SplitName } from "../data/dataset.ts";
import { memoryFeatures, type FeatureSource } from "../io/index.ts";
import type { Detector, Judgement } from "../neco/index.ts";
import type { Example, ExamplesJson } from "../report/index.ts";
import { at } from "../util/shape.ts";

const PER_SET = 6;

/** A set whose images and features are at hand, row by row. */
export interface ExampleSet {
  readonly name: string;
  readonly dataset: ImageDataset;
  readonly split: SplitName;
  readonly source: FeatureSource;
  /** Whether its classes are the model's. */
  readonly isId: boolean;
}

/** An image as a PNG data URI. */
export async function pngUri(
  pixels: Uint8Array,
  { width, height, channels }: Pick<ImageDataset, "width" | "height" | "channels">,
): Promise<string> {
  const png = await sharp(pixels, { raw: { width, height, channels } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** Rows of a set as a source of their own. */
async function pick(
  { source, dataset, split }: ExampleSet,
  rows: readonly number[],
): Promise<FeatureSource> {
  const gather = async (
    read: (start: number, count: number) => Promise<Float32Array>,
    width: number,
  ): Promise<Float32Array> => {
    const out = new Float32Array(rows.length * width);
    for (const [index, row] of rows.entries()) out.set(await read(row, 1), index * width);
    return out;
  };
  const { dim, classes, logits } = source;
  return memoryFeatures(source.name, {
    features: await gather((start, count) => source.features(start, count), dim),
    dim,
    logits: logits === null || classes === null ? null : await gather(logits, classes),
    images: (start, count) => dataset.splits[split].images(rows.slice(start, start + count)),
  });
}

async function examplesOf(detector: Detector, set: ExampleSet): Promise<Example[]> {
  const { dataset, source } = set;
  const count = Math.min(PER_SET, source.rows);
  const rows = Array.from({ length: count }, (_, k) =>
    Math.floor(((k + 0.5) * source.rows) / count),
  );
  const judgements = await detector.judge(await pick(set, rows));
  const split = dataset.splits[set.split];
  return Promise.all(
    rows.map(async (row, index) =>
      exampleOf(set, at(judgements, index), {
        image: await pngUri(await split.images([row]), dataset),
        label: at(split.labels, row),
      }),
    ),
  );
}

function exampleOf(
  { name, dataset, isId }: ExampleSet,
  { label, labelIndex, probs, score, isOod }: Judgement,
  { image, label: truth }: { image: string; label: number },
): Example {
  const named = dataset.classes[truth] ?? null;
  return {
    image,
    width: dataset.width,
    height: dataset.height,
    set: isId ? name : `${name}${named === null ? "" : ` (${named})`}`,
    truth: isId ? named : null,
    predicted: label ?? "–",
    probability: labelIndex === null ? Number.NaN : (probs[labelIndex] ?? Number.NaN),
    score,
    isOod,
  };
}

/** `examples.json`: evenly spaced images of every set. */
export async function collectExamples(
  detector: Detector,
  sets: readonly ExampleSet[],
): Promise<ExamplesJson> {
  const examples: Example[] = [];
  for (const set of sets) examples.push(...(await examplesOf(detector, set)));
  const { method, threshold } = detector.spec;
  return { schema: "neco-webgpu/examples@1", method, threshold, examples };
}
