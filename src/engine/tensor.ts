/** A tensor: shape, dtype and a place in GPU memory, or in a program that is being captured. */
import { DisposedError } from "../util/errors.ts";
import { decodeFloat16 } from "../util/float16.ts";
import { bytesOf, show, sizeOf } from "../util/shape.ts";
import type { DType, Meta, Shape } from "../util/shape.ts";

/** Typed arrays that hold a tensor's values on the host; Uint16Array holds the bits of f16. */
export type HostArray = Float32Array | Uint16Array | Int32Array | Uint32Array;

/** The dtype that a typed array stands for. */
export const dtypeOf = (values: HostArray): DType =>
  values instanceof Float32Array
    ? "f32"
    : values instanceof Uint16Array
      ? "f16"
      : values instanceof Int32Array
        ? "i32"
        : "u32";

/** Memory shared by a tensor and its views; freed when the last one goes. */
export class Storage {
  readonly bytes: number;
  readonly label: string;
  /** Null while virtual (inside a capture) and after it was freed. */
  buffer: GPUBuffer | null;
  /** Number of the virtual storage in its capture; −1 outside. */
  readonly virtual: number;
  private references = 0;
  private readonly onFree: (storage: Storage) => void;

  /** @param onFree - gives the buffer back; called once. */
  constructor(
    place: { bytes: number; label: string; buffer: GPUBuffer | null; virtual?: number },
    onFree: (storage: Storage) => void,
  ) {
    this.bytes = place.bytes;
    this.label = place.label;
    this.buffer = place.buffer;
    this.virtual = place.virtual ?? -1;
    this.onFree = onFree;
  }

  /** One more tensor uses this memory. */
  retain(): void {
    this.references++;
  }

  /** One tensor fewer; the last gives the memory back. */
  release(): void {
    this.references--;
    if (this.references > 0) return;
    this.onFree(this);
    this.buffer = null;
  }
}

/** Reads a tensor's bytes; the engine that made the tensor. */
export interface TensorReader {
  read(tensor: Tensor): Promise<ArrayBuffer>;
}

let created = 0; // only for ids that keys and tapes compare; never shown

/** n-dimensional array on the GPU, row-major and contiguous. */
export class Tensor implements Meta, Disposable {
  readonly id = created++;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly storage: Storage;
  /** Bytes from the start of the storage. */
  readonly offset: number;
  private readonly reader: TensorReader;
  private alive = true;
  private disposed: (() => void) | null = null;

  /** Made by the engine, not by hand. */
  constructor(reader: TensorReader, meta: Meta, storage: Storage, offset = 0) {
    this.reader = reader;
    this.shape = meta.shape;
    this.dtype = meta.dtype;
    this.storage = storage;
    this.offset = offset;
    storage.retain();
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Bytes of the elements. */
  get bytes(): number {
    return bytesOf(this);
  }

  /** False after {@link Tensor.dispose}. */
  get isAlive(): boolean {
    return this.alive;
  }

  /**
   * The values, in row-major order, as the dtype's typed array; of f16 the bits.
   * @throws DisposedError if the tensor was freed.
   * @throws CaptureError while a program is being captured.
   */
  async data(): Promise<HostArray> {
    const bytes = await this.reader.read(this);
    switch (this.dtype) {
      case "f32":
        return new Float32Array(bytes);
      case "f16":
        return new Uint16Array(bytes, 0, this.size);
      case "i32":
        return new Int32Array(bytes);
      case "u32":
        return new Uint32Array(bytes);
    }
  }

  /** The values of an f32 tensor; other dtypes are converted. */
  async floats(): Promise<Float32Array> {
    const values = await this.data();
    if (values instanceof Uint16Array) return decodeFloat16(values);
    return values instanceof Float32Array ? values : Float32Array.from(values);
  }

  /** The only value of a one-element tensor. */
  async item(): Promise<number> {
    const [value] = await (this.dtype === "f16" ? this.floats() : this.data());
    return value ?? Number.NaN;
  }

  /** Gives the memory back now; needed only outside scopes. */
  dispose(): void {
    if (!this.alive) return;
    this.alive = false;
    this.disposed?.();
    this.storage.release();
  }

  /** Called once when the tensor is freed by hand or by a scope. */
  onDispose(listener: () => void): void {
    this.disposed = listener;
  }

  /** `using x = …` frees at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @throws DisposedError if the tensor was freed. */
  assertAlive(): void {
    if (!this.alive)
      throw new DisposedError(
        `${this.storage.label} ${show(this.shape)} was freed; return it from its engine.scope to keep it`,
      );
  }
}
