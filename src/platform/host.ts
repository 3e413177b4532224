/** What a host (Node or browser) offers, as types; node.ts and browser.ts export exactly these. */

/** What kind of adapter runs the shaders; the last three are software. */
export type AdapterKind = "gpu" | "lavapipe" | "swiftshader" | "software";

/** An adapter and the entry point it came from, which must stay reachable. */
export interface GpuHandle {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
  /** One line for people: name, driver, and "software" where it is. */
  readonly description: string;
  readonly kind: AdapterKind;
}

/** Which adapter to open: `auto`, `gpu`, `lavapipe` or `swiftshader`. */
export interface GpuOptions {
  readonly adapter?: string | undefined;
}

/** Random access to a file too large to hold. */
export interface RangeReader {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Writes anywhere in a file too large to hold; the file appears, whole, at `commit`. */
export interface RangeWriter {
  write(offset: number, bytes: Uint8Array): Promise<void>;
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** An image as 8-bit sRGB, straight alpha, rows from the top. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** The functions that differ between hosts. */
export interface Platform {
  readonly host: "node" | "browser";
  openGpu(options?: GpuOptions): Promise<GpuHandle>;
  readBytes(pathOrUrl: string): Promise<Uint8Array>;
  openRange(path: string): Promise<RangeReader>;
  openWriter(path: string): Promise<RangeWriter>;
  writeAtomic(path: string, bytes: Uint8Array | string): Promise<void>;
  appendLine(path: string, line: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  listFolder(path: string): Promise<string[]>;
  makeFolder(path: string): Promise<void>;
  cacheFolder(): string;
  sha256(bytes: Uint8Array): Promise<string>;
  gunzip(bytes: Uint8Array): Promise<Uint8Array>;
  gzip(bytes: Uint8Array): Promise<Uint8Array>;
  decodeImage(bytes: Uint8Array): Promise<DecodedImage>;
  environment(name: string): string | undefined;
  sleep(milliseconds: number): Promise<void>;
}

/** Tells a GPU from the software adapters by what the adapter says of itself. */
export function adapterKind(info: GPUAdapterInfo): AdapterKind {
  const text =
    `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  if (text.includes("llvmpipe") || text.includes("lavapipe")) return "lavapipe";
  if (text.includes("swiftshader")) return "swiftshader";
  const software = info.isFallbackAdapter || /basic render|software/.test(text);
  return software ? "software" : "gpu";
}

/** One line that names the adapter, and says so when it is software. */
export function describeAdapter(info: GPUAdapterInfo): string {
  const kind = adapterKind(info);
  const name = info.description || [info.vendor, info.architecture, info.device].join(" ").trim();
  if (kind === "gpu") return name || "unnamed GPU";
  return kind === "software" ? `${name} (software)` : `${kind} (software): ${name}`;
}
