/** Image geometry on the host: the same pixels on every machine, so that data has one hash. */
import { at } from "../util/shape.ts";

/** Height, width and channels of an image. */
export interface Geometry {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

// ITU-R BT.601 weights in 1/1000, the ones Pillow's "L" uses.
const RED = 299;
const GREEN = 587;
const BLUE = 114;

/** Bytes of one image. */
export const imageBytes = ({ height, width, channels }: Geometry): number =>
  height * width * channels;

/** RGB to grey by luma, grey to RGB by repetition; [pixels, from] → [pixels, to]. */
export function convertChannels(pixels: Uint8Array, from: 1 | 3, to: 1 | 3): Uint8Array {
  if (from === to) return pixels;
  const count = pixels.length / from;
  const out = new Uint8Array(count * to);
  const value = (index: number): number => pixels[index] ?? 0;
  for (let pixel = 0; pixel < count; pixel++) {
    if (to === 3) out.fill(value(pixel), 3 * pixel, 3 * pixel + 3);
    else {
      const luma = RED * value(3 * pixel) + GREEN * value(3 * pixel + 1);
      out[pixel] = Math.round((luma + BLUE * value(3 * pixel + 2)) / 1000);
    }
  }
  return out;
}

/** Red, green and blue over a background of one grey; alpha is straight. */
export function flatten(rgba: Uint8Array, background: number): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let pixel = 0; pixel < rgba.length / 4; pixel++) {
    const alpha = at(rgba, 4 * pixel + 3) / 255;
    for (let channel = 0; channel < 3; channel++)
      rgb[3 * pixel + channel] = Math.round(
        at(rgba, 4 * pixel + channel) * alpha + background * (1 - alpha),
      );
  }
  return rgb;
}

/** A rectangle of an image. */
export function crop(
  pixels: Uint8Array,
  from: Geometry,
  box: { top: number; left: number; height: number; width: number },
): Uint8Array {
  const rowBytes = box.width * from.channels;
  const out = new Uint8Array(box.height * rowBytes);
  for (let row = 0; row < box.height; row++) {
    const start = ((box.top + row) * from.width + box.left) * from.channels;
    out.set(pixels.subarray(start, start + rowBytes), row * rowBytes);
  }
  return out;
}

/** Largest rectangle of the target's proportions in the middle of the image. */
export function centreBox(
  from: Geometry,
  to: { height: number; width: number },
): { top: number; left: number; height: number; width: number } {
  const scale = Math.min(from.height / to.height, from.width / to.width);
  const height = Math.min(from.height, Math.max(1, Math.round(to.height * scale)));
  const width = Math.min(from.width, Math.max(1, Math.round(to.width * scale)));
  const top = Math.floor((from.height - height) / 2);
  return { top, left: Math.floor((from.width - width) / 2), height, width };
}

/** Bilinear, with the filter widened when shrinking, so that nothing aliases (as Pillow does). */
export function resize(
  pixels: Uint8Array,
  from: Geometry,
  to: { height: number; width: number },
): Uint8Array {
  if (from.height === to.height && from.width === to.width) return pixels;
  const { channels } = from;
  // Horizontally: each row is one run, its samples `channels` apart; then vertically: one run of all.
  const wide = new Float32Array(from.height * to.width * channels);
  const columns = filterTaps(from.width, to.width);
  for (let row = 0; row < from.height; row++) {
    const source = pixels.subarray(row * from.width * channels, (row + 1) * from.width * channels);
    const target = wide.subarray(row * to.width * channels, (row + 1) * to.width * channels);
    filterRun(source, target, columns, channels);
  }
  const tall = new Float32Array(to.height * to.width * channels);
  filterRun(wide, tall, filterTaps(from.height, to.height), to.width * channels);
  return Uint8Array.from(tall, (value) => Math.min(255, Math.max(0, Math.round(value))));
}

interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/** out[i, lane] = Σ weights[t] · samples[first + t, lane], with `lanes` values per sample. */
function filterRun(
  samples: Uint8Array | Float32Array,
  out: Float32Array,
  taps: readonly Taps[],
  lanes: number,
): void {
  taps.forEach(({ first, weights }, index) => {
    for (let lane = 0; lane < lanes; lane++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++)
        sum += (weights[tap] ?? 0) * (samples[(first + tap) * lanes + lane] ?? 0);
      out[index * lanes + lane] = sum;
    }
  });
}

/** Triangle filter of each output sample; pixel centres lie at half-integers. */
function filterTaps(from: number, to: number): Taps[] {
  const scale = from / to;
  const radius = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - radius));
    const last = Math.min(from, Math.ceil(centre + radius));
    const weights = new Float64Array(last - first);
    for (let tap = 0; tap < weights.length; tap++)
      weights[tap] = Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / radius);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}
