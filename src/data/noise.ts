/** `noise`: independent uniform pixels. A control that anything should detect; never averaged. */
import type { ImageDataset } from "./dataset.ts";
import { unlabelled } from "./made.ts";
import { randomWord } from "./random.ts";
import { imageBytes, type Geometry } from "./resize.ts";

const SEED = 1;

/** Noise images, the same ones each time. */
export function makeNoise(geometry: Geometry, count: number): Promise<ImageDataset> {
  const pixels = new Uint8Array(count * imageBytes(geometry));
  for (let index = 0; index < pixels.length; index++)
    pixels[index] = randomWord(SEED, index) >>> 24;
  const notes = { name: "noise", title: "uniform noise (control)", credit: "made by the program" };
  return unlabelled(notes, pixels, geometry);
}
