/**
 * `icons`: line drawings of an npm icon set, white on black like digits. Far-OOD that shares the
 * look of the known data but none of its meaning.
 */
import { decodeImage, readBytes } from "#platform";
import { DataError, FormatError } from "../util/errors.ts";
import { isRecord } from "../io/json.ts";
import { convertImage } from "./convert.ts";
import type { ImageDataset } from "./dataset.ts";
import { unlabelled } from "./made.ts";
import { flatten, imageBytes, type Geometry } from "./resize.ts";

const BATCH = 64; // icons drawn at a time
const BLACK = 0;
const UNITS = 24; // the set's own grid

/** Who drew the icons that `neco data fetch icons` brings. */
export const ICONS_CREDIT =
  "Lucide icons by Lucide Contributors, ISC licence (parts from Feather by Cole Bemis, MIT), from npm @iconify-json/lucide";

/**
 * Draws all icons of an Iconify JSON file.
 * @throws FormatError if it is no icon set.
 * @throws DataError if an icon cannot be drawn.
 */
export async function loadIcons(
  path: string,
  geometry: Geometry,
  count = Number.POSITIVE_INFINITY,
): Promise<ImageDataset> {
  const all = parseIcons(await readBytes(path), path);
  // Neighbours in the alphabet look alike; an even choice over the whole set does not.
  const step = Math.max(1, all.length / count);
  const bodies = Array.from({ length: Math.min(count, all.length) }, (_, index) => {
    return all[Math.floor(index * step)] ?? "";
  });
  const size = imageBytes(geometry);
  const pixels = new Uint8Array(bodies.length * size);
  for (let start = 0; start < bodies.length; start += BATCH) {
    const part = bodies.slice(start, start + BATCH).map((body) => drawIcon(body, geometry));
    (await Promise.all(part)).forEach((image, row) => {
      pixels.set(image, (start + row) * size);
    });
  }
  const notes = { name: "icons", title: `${bodies.length} Lucide icons`, credit: ICONS_CREDIT };
  return unlabelled(notes, pixels, geometry);
}

/** The drawings of an Iconify JSON file in the order of their names. */
function parseIcons(bytes: Uint8Array, file: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FormatError(file, "is not JSON; fetch it again", { cause });
  }
  const icons = isRecord(parsed) && isRecord(parsed["icons"]) ? parsed["icons"] : {};
  const bodies = Object.keys(icons)
    .sort()
    .flatMap((name) => {
      const icon = icons[name];
      const body = isRecord(icon) ? icon["body"] : undefined;
      return typeof body === "string" ? [body] : [];
    });
  if (bodies.length === 0) throw new FormatError(file, "holds no icons; fetch it again");
  return bodies;
}

async function drawIcon(body: string, to: Geometry): Promise<Uint8Array> {
  const side = Math.max(to.height, to.width);
  const drawing = body.replaceAll("currentColor", "#fff");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 ${UNITS} ${UNITS}">${drawing}</svg>`;
  const { width, height, rgba } = await decodeImage(new TextEncoder().encode(svg));
  if (width !== height)
    throw new DataError(`an icon came out ${width} × ${height}; is sharp installed whole?`);
  return convertImage(flatten(rgba, BLACK), { width, height, channels: 3 }, to);
}
