/** Lends GPU buffers by size and takes them back; keeps to a byte budget. */
import { LimitError, OutOfMemoryError } from "../util/errors.ts";
import { ceilDiv } from "../util/shape.ts";

/** Storage buffers bind at multiples of this on every adapter (WebGPU's default alignment). */
export const ALIGNMENT = 256;

/** GPUBufferUsage by value: Node has no such global until Dawn's are installed. */
export const GPU_BUFFER_USAGE = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  INDIRECT: 0x100,
} as const;

const STORAGE_USAGE =
  GPU_BUFFER_USAGE.STORAGE | GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST;

const MEBIBYTE = 1024 * 1024;

/** Sizes in steps of a quarter of their power of two, so that similar shapes share buffers. */
function bucket(bytes: number): number {
  const least = Math.max(ALIGNMENT, ceilDiv(bytes, ALIGNMENT) * ALIGNMENT);
  if (least <= 16 * ALIGNMENT) return least;
  const step = 2 ** Math.floor(Math.log2(least)) / 4;
  return ceilDiv(least, step) * step;
}

/** Step scalars are bound as uniforms; they and the smallest buffers get that usage. */
const key = (size: number, uniform: boolean): string => `${size}${uniform ? "u" : ""}`;

/** Lends buffers; what it lends may be larger than what was asked for. */
export class BufferPool {
  private readonly free = new Map<string, GPUBuffer[]>();
  private readonly device: GPUDevice;
  private readonly budget: number;
  private readonly usage: GPUBufferUsageFlags;
  /** Buffers that are lent out now. */
  live = 0;
  /** Buffers ever created; a replayed program must not raise it. */
  created = 0;
  /** Bytes that exist on the adapter, lent or free. */
  bytes = 0;
  /** The most that ever existed at once. */
  peakBytes = 0;

  /**
   * @param budget - most bytes that may exist at once.
   * @param usage - of all its buffers: storage, unless told.
   */
  constructor(device: GPUDevice, budget: number, usage: GPUBufferUsageFlags = STORAGE_USAGE) {
    this.device = device;
    this.budget = budget;
    this.usage = usage;
  }

  /**
   * A buffer of at least so many bytes; its content is undefined.
   * @throws LimitError beyond the adapter's largest buffer.
   * @throws OutOfMemoryError beyond the byte budget.
   */
  acquire(bytes: number, label: string): GPUBuffer {
    const size = bucket(bytes);
    return this.take(size, label, size === ALIGNMENT && this.usage === STORAGE_USAGE);
  }

  /** As {@link BufferPool.acquire}, for step scalars that are bound as uniforms. */
  acquireUniform(bytes: number, label: string): GPUBuffer {
    return this.take(bucket(bytes), label, true);
  }

  private take(size: number, label: string, uniform: boolean): GPUBuffer {
    const reused = this.free.get(key(size, uniform))?.pop();
    if (reused) {
      this.live++;
      reused.label = label;
      return reused;
    }
    if (size > this.device.limits.maxBufferSize)
      throw new LimitError(
        `${label} needs ${Math.ceil(size / MEBIBYTE)} MiB, more than the adapter's largest buffer (${Math.floor(this.device.limits.maxBufferSize / MEBIBYTE)} MiB); use a smaller batch`,
      );
    if (this.bytes + size > this.budget) this.trim();
    if (this.bytes + size > this.budget)
      throw new OutOfMemoryError(
        `${label} needs ${Math.ceil(size / MEBIBYTE)} MiB but ${Math.ceil(this.bytes / MEBIBYTE)} of ${Math.ceil(this.budget / MEBIBYTE)} MiB are in use; use a smaller batch, or raise memoryBudget`,
      );
    this.live++;
    this.created++;
    this.bytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
    const usage = this.usage | (uniform ? GPU_BUFFER_USAGE.UNIFORM : 0);
    return this.device.createBuffer({ label, size, usage });
  }

  /** Takes a buffer back; work already queued on it finishes first, by queue order. */
  release(buffer: GPUBuffer): void {
    this.live--;
    const kind = key(buffer.size, (buffer.usage & GPU_BUFFER_USAGE.UNIFORM) !== 0);
    const list = this.free.get(kind);
    if (list) list.push(buffer);
    else this.free.set(kind, [buffer]);
  }

  /** Destroys the free buffers. */
  trim(): void {
    for (const list of this.free.values())
      for (const buffer of list) {
        this.bytes -= buffer.size;
        buffer.destroy();
      }
    this.free.clear();
  }
}
