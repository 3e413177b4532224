/** Features of a data set's split under a model, written to a file; kept ones are used again. */
import { exists, sha256 } from "#platform";
import type { ImageDataset, Split, SplitName } from "../data/dataset.ts";
import type { Engine } from "../engine/index.ts";
import { createFeatures, openArrays } from "../io/index.ts";
import { DataError } from "../util/errors.ts";
import type { Predictor } from "../vit/index.ts";
import { note, startProgress } from "./console.ts";
import { withPredictor, type Augmenting, type LoadedModel } from "./models.ts";

/** What is extracted: a part of a data set in the model's geometry. */
export interface ExtractRequest {
  readonly model: LoadedModel;
  readonly dataset: ImageDataset;
  readonly split: SplitName;
  /** Rows of the split, for shards; all unless told. */
  readonly rows?: readonly [number, number];
  readonly dtype?: "f16" | "f32";
  /** Training's augmentation; the test transform unless given. */
  readonly augment?: Augmenting;
}

/** Rows `start` to `end` of a split. */
function sliceSplit(split: Split, [start, end]: readonly [number, number]): Split {
  return {
    count: end - start,
    labels: split.labels.subarray(start, end),
    images: (indices) => split.images(Array.from(indices, (index) => index + start)),
  };
}

/** What the features depend on; equal keys mean equal features. */
export function featureKey({
  model,
  dataset,
  split,
  rows,
  augment,
}: ExtractRequest): Promise<string> {
  const { height, width, channels, mean, std, hash } = dataset;
  const facts = {
    weights: model.hash,
    data: hash,
    name: dataset.name,
    split,
    rows,
    height,
    width,
    channels,
    mean,
    std,
    size: model.config.imageSize,
    augment,
  };
  return sha256(new TextEncoder().encode(JSON.stringify(facts)));
}

/**
 * Extracts features, logits and labels in evaluation mode (no dropout).
 * @throws DataError if the split is empty or the file cannot be written; nothing is left behind.
 */
export async function extractFeatures(
  engine: Engine,
  request: ExtractRequest,
  path: string,
): Promise<void> {
  const { model, dataset, split: name, rows, dtype = "f32" } = request;
  const whole = dataset.splits[name];
  const split = rows ? sliceSplit(whole, rows) : whole;
  if (split.count === 0)
    throw new DataError(
      `${dataset.name} has no images in its ${name} split: choose another --split`,
    );
  const isLabelled = split.labels.every((label) => label >= 0);
  const { dim, classes } = model.config;
  const writer = await createFeatures(path, {
    rows: split.count,
    dim,
    classes,
    hasLabels: isLabelled,
    head: model.head,
    dtype,
    metadata: {
      key: await featureKey(request),
      dataset: dataset.name,
      split: name,
      step: String(model.step),
    },
  });
  const progress = startProgress(`features of ${dataset.name} ${name}`, split.count);
  try {
    const extract = (predictor: Predictor): Promise<void> =>
      predictor.predictSplit(split, async ({ features, logits, count }, start) => {
        const labels = isLabelled ? split.labels.slice(start, start + count) : null;
        await writer.append({ features, logits, labels });
        progress.update(start + count);
      });
    await withPredictor(engine, model, dataset, extract, request.augment ?? null);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    progress.stop();
  }
}

/** Extracts unless the file holds exactly these features already; a stale file is replaced. */
export async function ensureFeatures(
  engine: Engine,
  request: ExtractRequest,
  path: string,
): Promise<void> {
  if (await exists(path)) {
    const store = await openArrays(path).catch(() => null);
    const key = store?.metadata["key"];
    await store?.close();
    if (key === (await featureKey(request))) return;
    note(`${path} is of another checkpoint, transform or data: extracting again`);
  }
  await extractFeatures(engine, request, path);
}
