/** Fetches a file over HTTP with progress and cancellation; the same in Node and in pages. */
import { DataError, InterruptedError } from "../util/errors.ts";

/** How a download reports and stops. */
export interface DownloadOptions {
  /** Bytes so far, and in all where the server says. */
  readonly onProgress?: ((loaded: number, total: number | null) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes behind a URL.
 * @throws DataError if the server does not give them.
 * @throws InterruptedError if the signal fires.
 */
export async function download(url: string, options: DownloadOptions = {}): Promise<Uint8Array> {
  const { onProgress, signal } = options;
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok || !response.body)
      throw new DataError(`${url}: the server answered ${response.status}; check the address`);
    const length = Number(response.headers.get("content-length") ?? "0");
    const total = length > 0 ? length : null;
    const parts: Uint8Array[] = [];
    let loaded = 0;
    const reader = response.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      parts.push(next.value);
      loaded += next.value.length;
      onProgress?.(loaded, total);
    }
    return join(parts, loaded);
  } catch (cause) {
    if (signal?.aborted) throw new InterruptedError(`stopped while loading ${url}`);
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${url} cannot be loaded: is the server reachable?`, { cause });
  }
}

function join(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
