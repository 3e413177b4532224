/** Any data set in another one's geometry: what OOD sets need before a model takes them. */
import { withSplits, type ImageDataset, type Split } from "./dataset.ts";
import { centreBox, convertChannels, crop, imageBytes, resize, type Geometry } from "./resize.ts";

/**
 * The data set with images of that size and number of channels, normalised by the target's mean
 * and deviation: a model sees foreign images exactly as it would see its own.
 */
export function toGeometry(dataset: ImageDataset, target: ImageDataset): ImageDataset {
  const { height, width, channels, mean, std } = target;
  const to = { height, width, channels };
  const isSame =
    dataset.height === height && dataset.width === width && dataset.channels === channels;
  const splits = isSame
    ? dataset.splits
    : withSplits(dataset, (split) => convertSplit(split, dataset, to));
  return { ...dataset, ...to, mean, std, splits };
}

/** One image, cropped in the middle to the target's proportions, resized and recoloured. */
export function convertImage(pixels: Uint8Array, from: Geometry, to: Geometry): Uint8Array {
  const recoloured =
    to.channels < from.channels ? convertChannels(pixels, from.channels, to.channels) : pixels;
  const geometry = { ...from, channels: to.channels < from.channels ? to.channels : from.channels };
  const box = centreBox(geometry, to);
  const cropped = crop(recoloured, geometry, box);
  const sized = resize(cropped, { ...geometry, height: box.height, width: box.width }, to);
  return convertChannels(sized, geometry.channels, to.channels);
}

function convertSplit(split: Split, from: Geometry, to: Geometry): Split {
  const size = imageBytes(from);
  return {
    ...split,
    images: async (indices) => {
      const pixels = await split.images(indices);
      const out = new Uint8Array(indices.length * imageBytes(to));
      for (let row = 0; row < indices.length; row++) {
        const image = pixels.subarray(row * size, (row + 1) * size);
        out.set(convertImage(image, from, to), row * imageBytes(to));
      }
      return out;
    },
  };
}
