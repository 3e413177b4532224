/** Shared by data sets that have no training part: everything is in the test split, unlabelled. */
import { emptySplit, hashParts, memorySplit, type ImageDataset } from "./dataset.ts";
import { imageBytes, type Geometry } from "./resize.ts";

/** An OOD set over pixels in memory, [N, H, W, C]. */
export async function unlabelled(
  notes: { name: string; title: string; credit: string },
  pixels: Uint8Array,
  geometry: Geometry,
): Promise<ImageDataset> {
  const size = imageBytes(geometry);
  const labels = new Int32Array(pixels.length / size).fill(-1);
  const test = memorySplit(pixels, labels, size);
  const perChannel = Array.from({ length: geometry.channels }, () => 0.5);
  return {
    ...notes,
    ...geometry,
    classes: [],
    mean: perChannel,
    std: perChannel,
    splits: { train: emptySplit, val: emptySplit, test },
    hash: await hashParts([pixels], notes.name),
  };
}
