/** Turns a drawing into an image as MNIST's are: 20 pixels at most, centred by mass in 28. */

/** Side of the image, pixels. */
export const SIDE = 28;
/** Longer side of the digit's box inside it (LeCun et al., 1998). */
const BOX = 20;
const INK = 16; // grey levels below are no ink

/** Grey levels 0 (paper) to 255 (ink), row-major. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly grey: ArrayLike<number>;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest box with all ink, or null on empty paper. */
function inkBox({ width, height, grey }: Drawing): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if ((grey[y * width + x] ?? 0) >= INK) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = y;
      }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Mean grey level over a rectangle with fractional edges. */
function areaMean({ width, height, grey }: Drawing, { left, top, ...size }: Box): number {
  const [right, bottom] = [left + size.width, top + size.height];
  let sum = 0;
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, bottom); y++) {
    const rows = Math.min(y + 1, bottom) - Math.max(y, top);
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, right); x++) {
      const columns = Math.min(x + 1, right) - Math.max(x, left);
      sum += rows * columns * (grey[y * width + x] ?? 0);
    }
  }
  return sum / (size.width * size.height);
}

/** The drawing's box shrunk to {@link BOX}, each pixel the mean of what it covers. */
function shrink(drawing: Drawing, box: Box): Drawing {
  const scale = Math.max(box.width, box.height) / BOX; // drawing pixels per image pixel
  const [width, height] = [Math.ceil(box.width / scale), Math.ceil(box.height / scale)];
  const grey = Float64Array.from({ length: width * height }, (_, index) =>
    areaMean(drawing, {
      left: box.left + (index % width) * scale,
      top: box.top + Math.floor(index / width) * scale,
      width: scale,
      height: scale,
    }),
  );
  return { width, height, grey };
}

/** Column and row of the centre of mass, pixel centres at halves. */
export function massCentre({ width, grey }: Drawing): { x: number; y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (let index = 0; index < grey.length; index++) {
    const level = grey[index] ?? 0;
    mass += level;
    x += level * ((index % width) + 0.5);
    y += level * (Math.floor(index / width) + 0.5);
  }
  return { x: x / mass, y: y / mass };
}

/** The drawing as one of MNIST's images, u8 [28, 28]; null on empty paper. */
export function normaliseDigit(drawing: Drawing): Uint8Array | null {
  const box = inkBox(drawing);
  if (!box) return null;
  const small = shrink(drawing, box);
  const centre = massCentre(small);
  const left = Math.round(SIDE / 2 - centre.x);
  const top = Math.round(SIDE / 2 - centre.y);
  const image = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < small.height; y++)
    for (let x = 0; x < small.width; x++) {
      const [column, row] = [x + left, y + top];
      if (column < 0 || column >= SIDE || row < 0 || row >= SIDE) continue;
      image[row * SIDE + column] = Math.round(small.grey[y * small.width + x] ?? 0);
    }
  return image;
}
