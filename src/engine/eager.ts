/** Runs passes as they come, batched into one encoder until somebody reads. */
import { BindGroupCache } from "./bindGroups.ts";
import type { OpenDevice } from "./device.ts";
import { bindingKinds, paramBytes, writeParams } from "./executor.ts";
import type { Executor, ResolvedPass } from "./executor.ts";
import type { PipelineCache } from "./pipelines.ts";
import { ALIGNMENT, BufferPool, GPU_BUFFER_USAGE } from "./pool.ts";
import { Storage } from "./tensor.ts";
import type { HostArray, Tensor } from "./tensor.ts";

/** Passes per submit: enough to amortise it, few enough that the GPU starts early. */
const MAX_PENDING = 256;

/** Of buffers for reading back, above which those that wait are given up. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** Executes at once (from the caller's view), in order. */
export class EagerExecutor implements Executor {
  private readonly gpu: OpenDevice;
  private readonly pool: BufferPool;
  private readonly pipelines: PipelineCache;
  private readonly bindGroups: BindGroupCache;
  /** Buffers for reading back: the pages of a new one cost more than the copy into it. */
  private readonly staging: BufferPool;
  private readonly paramsBuffer: GPUBuffer;
  private readonly paramsHost = new DataView(new ArrayBuffer(MAX_PENDING * ALIGNMENT));
  private encoder: GPUCommandEncoder | null = null;
  private computePass: GPUComputePassEncoder | null = null;
  private pending = 0;
  /** Dispatches ever made; tests use it to show that work ran on the GPU. */
  dispatches = 0;

  /** Shares the pool and the pipelines with the programs of its engine. */
  constructor(gpu: OpenDevice, pool: BufferPool, pipelines: PipelineCache) {
    this.gpu = gpu;
    this.pool = pool;
    this.pipelines = pipelines;
    this.bindGroups = new BindGroupCache(gpu.device);
    const { MAP_READ, COPY_DST } = GPU_BUFFER_USAGE;
    this.staging = new BufferPool(gpu.device, Infinity, MAP_READ | COPY_DST);
    this.paramsBuffer = gpu.device.createBuffer({
      label: "eager params",
      size: MAX_PENDING * ALIGNMENT,
      usage: GPU_BUFFER_USAGE.UNIFORM | GPU_BUFFER_USAGE.COPY_DST,
    });
  }

  /** {@inheritDoc Executor.allocate} */
  allocate(bytes: number, label: string): Storage {
    const buffer = this.pool.acquire(bytes, label);
    return new Storage({ bytes, label, buffer }, () => {
      this.pool.release(buffer);
    });
  }

  private get commands(): GPUCommandEncoder {
    this.encoder ??= this.gpu.device.createCommandEncoder({ label: "eager" });
    return this.encoder;
  }

  /** {@inheritDoc Executor.enqueue} */
  enqueue({ pass, bindings }: ResolvedPass): void {
    const { pipeline, layout } = this.pipelines.get(pass.label, pass.code, bindingKinds(pass));
    const ranges = bindings.map(({ storage, offset, size }) => ({
      buffer: liveBuffer(storage),
      offset,
      size,
    }));
    const offsets: number[] = [];
    if (pass.params.length > 0) {
      ranges.push({ buffer: this.paramsBuffer, offset: 0, size: paramBytes(pass) });
      offsets.push(this.pending * ALIGNMENT);
      writeParams(pass, this.paramsHost, this.pending * ALIGNMENT);
    }
    this.computePass ??= this.commands.beginComputePass({ label: "eager" });
    this.computePass.setPipeline(pipeline);
    this.computePass.setBindGroup(0, this.bindGroups.get(pass.label, layout, ranges), offsets);
    this.computePass.dispatchWorkgroups(...pass.grid);
    this.dispatches++;
    if (++this.pending === MAX_PENDING) this.flush();
  }

  /** {@inheritDoc Executor.copy} */
  copy(source: Tensor, target: Tensor): void {
    this.endPass();
    this.commands.copyBufferToBuffer(
      liveBuffer(source.storage),
      source.offset,
      liveBuffer(target.storage),
      target.offset,
      source.bytes,
    );
  }

  /** Writes host values; what is queued before sees the old ones. */
  write(tensor: Tensor, values: HostArray): void {
    this.flush();
    const { buffer, byteOffset, byteLength } = wholeWords(values);
    this.gpu.device.queue.writeBuffer(
      liveBuffer(tensor.storage),
      tensor.offset,
      buffer,
      byteOffset,
      byteLength,
    );
  }

  /** Writes the GPU's clock into a query when the passes queued before are done. */
  stamp(querySet: GPUQuerySet, index: number): void {
    this.endPass();
    const timestampWrites = { querySet, endOfPassWriteIndex: index };
    this.commands.beginComputePass({ label: "timestamp", timestampWrites }).end();
  }

  private endPass(): void {
    this.computePass?.end();
    this.computePass = null;
  }

  /** Submits what is queued. */
  flush(): void {
    if (!this.encoder) return;
    this.endPass();
    const { queue } = this.gpu.device;
    if (this.pending > 0)
      queue.writeBuffer(this.paramsBuffer, 0, this.paramsHost.buffer, 0, this.pending * ALIGNMENT);
    queue.submit([this.encoder.finish()]);
    this.encoder = null;
    this.pending = 0;
  }

  /**
   * Copies a tensor's bytes to the host, after all that is queued.
   * @throws NecoError of any fault that the GPU reported until then.
   */
  async read(tensor: Tensor): Promise<ArrayBuffer> {
    const { faults } = this.gpu;
    faults.check();
    const size = Math.max(4, tensor.bytes);
    const staging = this.staging.acquire(size, `read ${tensor.storage.label}`);
    try {
      this.endPass();
      this.commands.copyBufferToBuffer(liveBuffer(tensor.storage), tensor.offset, staging, 0, size);
      this.flush();
      await staging.mapAsync(MAP_MODE_READ, 0, size);
      faults.check();
      return staging.getMappedRange(0, size).slice(0, tensor.bytes);
    } catch (error) {
      faults.check(); // a loss makes mapAsync fail with a vaguer message
      throw error;
    } finally {
      staging.unmap();
      this.staging.release(staging);
      if (this.staging.bytes > KEPT_BYTES) this.staging.trim();
    }
  }
}

const MAP_MODE_READ = 0x1;

/** The same bytes; an odd number of f16 gets one more, since the queue writes words of 4 bytes. */
function wholeWords(values: HostArray): HostArray {
  if (values.byteLength % 4 === 0) return values;
  const padded = new Uint16Array(values.length + 1);
  padded.set(values);
  return padded;
}

/**
 * The buffer behind a storage.
 * @throws TypeError for virtual storage: a program's tensors have none until it is planned.
 */
export function liveBuffer(storage: Storage): GPUBuffer {
  if (!storage.buffer) throw new TypeError(`${storage.label} has no buffer`);
  return storage.buffer;
}
