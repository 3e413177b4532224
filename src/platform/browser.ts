/**
 * A browser as a host: fetch for files, web APIs for hashes and images. The same functions as
 * node.ts; what a page cannot do (write files, list folders) throws and says so.
 */
import { AdapterError, DataError } from "../util/errors.ts";
import { adapterKind, describeAdapter } from "./host.ts";
import type { DecodedImage, Platform, RangeReader } from "./host.ts";

/** Which host this is. */
export const host = "browser";

/**
 * Opens the page's adapter; a page cannot choose which, so `adapter` is not looked at.
 * @throws AdapterError if the browser has no WebGPU or finds no adapter.
 */
export const openGpu: Platform["openGpu"] = async () => {
  const gpu: GPU | undefined = "gpu" in navigator ? navigator.gpu : undefined;
  if (!gpu)
    throw new AdapterError(
      globalThis.isSecureContext
        ? "this browser has no WebGPU: use Chrome or Edge 113+, Safari 26+ or Firefox 141+"
        : "WebGPU needs https or localhost: open this page from there",
    );
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw new AdapterError(
      "this browser finds no WebGPU adapter: enable hardware acceleration, update the GPU driver",
    );
  const { info } = adapter;
  return { gpu, adapter, description: describeAdapter(info), kind: adapterKind(info) };
};

/**
 * The bytes at an address.
 * @throws DataError if it cannot be fetched.
 */
export async function readBytes(pathOrUrl: string): Promise<Uint8Array> {
  return new Uint8Array(await (await get(pathOrUrl)).arrayBuffer());
}

/**
 * Opens an address for reads anywhere in it: by HTTP ranges where the server has them, else from
 * one download.
 * @throws DataError if it cannot be fetched, or a read goes past its end.
 */
export async function openRange(path: string): Promise<RangeReader> {
  const probe = await get(path, { headers: { Range: "bytes=0-0" } });
  const total = Number(
    /\/(\d+)$/.exec(probe.headers.get("Content-Range") ?? "")?.[1] ?? Number.NaN,
  );
  const ranged = probe.status === 206 && Number.isSafeInteger(total);
  const whole = ranged ? null : await probe.blob();
  const size = whole?.size ?? total;
  return {
    size,
    async read(offset, length) {
      if (length === 0) return new Uint8Array(0);
      if (offset + length > size)
        throw new DataError(`${path}: wanted ${length} bytes at ${offset}, but it ends at ${size}`);
      if (whole) return new Uint8Array(await whole.slice(offset, offset + length).arrayBuffer());
      const part = await get(path, {
        headers: { Range: `bytes=${offset}-${offset + length - 1}` },
      });
      const bytes = new Uint8Array(await part.arrayBuffer());
      if (bytes.length !== length)
        throw new DataError(`${path}: got ${bytes.length} bytes of ${length} at ${offset}`);
      return bytes;
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Pages cannot write files.
 * @throws DataError always.
 */
export const openWriter: Platform["openWriter"] = (path) => unavailable("writing", path);

/**
 * Pages cannot write files.
 * @throws DataError always.
 */
export const writeAtomic: Platform["writeAtomic"] = (path) => unavailable("writing", path);

/**
 * Pages cannot write files.
 * @throws DataError always.
 */
export const appendLine: Platform["appendLine"] = (path) => unavailable("writing", path);

/** Whether an address answers. */
export async function exists(path: string): Promise<boolean> {
  return fetch(path, { method: "HEAD" }).then(
    (response) => response.ok,
    () => false,
  );
}

/**
 * Pages cannot list folders.
 * @throws DataError always.
 */
export function listFolder(path: string): Promise<string[]> {
  return unavailable("listing a folder", path);
}

/**
 * Pages cannot make folders.
 * @throws DataError always.
 */
export function makeFolder(path: string): Promise<void> {
  return unavailable("making a folder", path);
}

/**
 * Pages have no cache folder.
 * @throws DataError always.
 */
export function cacheFolder(): string {
  throw new DataError(
    "a cache folder is not available in a browser: fetch the file by its address",
  );
}

/**
 * The SHA-256 of the bytes, as hex.
 * @throws DataError outside https and localhost, where browsers withhold it.
 */
export async function sha256(bytes: Uint8Array): Promise<string> {
  if (!globalThis.isSecureContext)
    throw new DataError("hashes need https or localhost: open this page from there");
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Unpacks gzip.
 * @throws DataError if the bytes are no whole gzip stream.
 */
export async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await through(bytes, new DecompressionStream("gzip"));
  } catch (cause) {
    throw new DataError("gzip data is broken or truncated: fetch the file again", { cause });
  }
}

/** Packs as gzip. */
export function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return through(bytes, new CompressionStream("gzip"));
}

/**
 * Decodes an image file to 8-bit sRGB, turned as its EXIF says.
 * @throws DataError if it is no image that the browser can read.
 */
export async function decodeImage(bytes: Uint8Array): Promise<DecodedImage> {
  const blob = new Blob([new Uint8Array(bytes)]);
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "none" }).catch(
    (cause: unknown) => {
      throw new DataError("this is no image that the browser can decode", { cause });
    },
  );
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new DataError("this browser gives no 2-D canvas to decode images with");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, rgba: new Uint8Array(data.buffer) };
}

/** Pages have no environment variables. */
export const environment: Platform["environment"] = () => undefined;

/** Waits. */
export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function get(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new DataError(`cannot fetch ${url}: check the address and the network`, { cause });
  });
  if (!response.ok) throw new DataError(`cannot fetch ${url}: the server says ${response.status}`);
  return response;
}

async function through(bytes: Uint8Array, packer: GenericTransformStream): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(packer);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unavailable(what: string, path: string): Promise<never> {
  return Promise.reject(new DataError(`${what} (${path}) is not available in a browser`));
}
