/** Lends buffers for reading back, and keeps a few: the pages of a new one cost more than a copy. */
import { GPU_BUFFER_USAGE, bucket } from "./pool.ts";

/** Bytes that may wait for the next read. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** A buffer serves reads down to this part of its size, so that small ones leave large ones alone. */
const LEAST_USE = 1 / 4;

/** Buffers that the host can map. */
export class StagingPool {
  private readonly device: GPUDevice;
  /** The longest unused first. */
  private readonly free: GPUBuffer[] = [];

  /** The buffers live as long as the device. */
  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** An unmapped buffer of at least so many bytes. */
  acquire(bytes: number): GPUBuffer {
    const size = bucket(bytes);
    const index = this.free.findIndex(
      (buffer) => buffer.size >= size && size >= buffer.size * LEAST_USE,
    );
    const [kept] = index < 0 ? [] : this.free.splice(index, 1);
    if (kept) return kept;
    const { MAP_READ, COPY_DST } = GPU_BUFFER_USAGE;
    return this.device.createBuffer({ label: "read", size, usage: MAP_READ | COPY_DST });
  }

  /** Takes a buffer back, whether mapped or not. */
  release(buffer: GPUBuffer): void {
    buffer.unmap();
    this.free.push(buffer);
    let kept = this.free.reduce((total, { size }) => total + size, 0);
    while (kept > KEPT_BYTES) {
      const oldest = this.free.shift();
      if (!oldest) return;
      kept -= oldest.size;
      oldest.destroy();
    }
  }
}
