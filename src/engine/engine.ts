/**
 * The engine: tensors, ops, scopes. Everything that users of the GPU touch goes through it. Longer
 * than 250 lines, because one class lists all of that with its documentation and hands it on.
 */
import type { Attrs, Caps, OpDef } from "../kernels/op.ts";
import type { Picks } from "../kernels/picks.ts";
import { CaptureError, ShapeError } from "../util/errors.ts";
import { bytesOf, meta as metaOf, show, sizeOf } from "../util/shape.ts";
import type { DType, Meta, Shape } from "../util/shape.ts";
import { needHalf } from "./device.ts";
import type { AdapterSummary, OpenDevice } from "./device.ts";
import { EagerExecutor } from "./eager.ts";
import { resolvePass } from "./executor.ts";
import type { Executor } from "./executor.ts";
import { bindOps } from "./ops.ts";
import type { Ops } from "./ops.ts";
import { PipelineCache } from "./pipelines.ts";
import { Plans } from "./plans.ts";
import type { Planned } from "./plans.ts";
import { ALIGNMENT, BufferPool } from "./pool.ts";
import { Scopes } from "./scope.ts";
import { dtypeOf, Storage, Tensor } from "./tensor.ts";
import type { HostArray } from "./tensor.ts";
import type { Tape } from "./tape.ts";

/** A call of an op, as {@link Engine.observe} tells it. */
export interface OpCall {
  readonly op: OpDef;
  readonly inputs: readonly (Tensor | null)[];
  readonly attrs: Attrs;
}

const DEFAULT_BUDGET = 8 * 1024 ** 3;

const HOST_ARRAYS = { f32: Float32Array, f16: Uint16Array, i32: Int32Array, u32: Uint32Array };

/** Runs ops on one device. Made by {@link createEngine}. */
export class Engine {
  readonly adapter: AdapterSummary;
  readonly caps: Caps;
  readonly ops: Ops;
  readonly pool: BufferPool;
  readonly pipelines: PipelineCache;
  readonly gpu: OpenDevice;
  readonly eager: EagerExecutor;
  /** Variants over the default picks; frozen into a run's checkpoint. */
  readonly picks: Picks;
  private executor: Executor;
  private observer: ((call: OpCall) => void) | null = null;
  private readonly tapes: Tape[] = [];
  private readonly scopes = new Scopes();
  private readonly plans: Plans;
  private absentTensor: Tensor | null = null;
  private readonly collected: FinalizationRegistry<() => void>;

  /** Use `createEngine` (open.ts). */
  constructor(gpu: OpenDevice, picks: Picks, memoryBudget = DEFAULT_BUDGET) {
    this.gpu = gpu;
    this.adapter = gpu.adapter;
    this.caps = gpu.caps;
    this.picks = picks;
    this.pool = new BufferPool(gpu.device, memoryBudget);
    this.pipelines = new PipelineCache(gpu.device, gpu.faults);
    this.plans = new Plans(gpu.caps, picks);
    this.eager = new EagerExecutor(gpu, this.pool, this.pipelines);
    this.executor = this.eager;
    this.ops = bindOps((op, inputs, attrs) => this.run(op, inputs, attrs));
    this.collected = new FinalizationRegistry((release) => {
      release();
    });
  }

  /** True while a program records. */
  get isCapturing(): boolean {
    return this.executor !== this.eager;
  }

  /** Stands for an absent optional input where a rule wants a tensor. */
  get absent(): Tensor {
    // Kept for the engine's life, whatever scope asks first.
    this.absentTensor ??= this.detached(() =>
      this.withExecutor(this.eager, () => this.allocate(metaOf([1]), "absent [1]")),
    );
    return this.absentTensor;
  }

  /**
   * Copies host values to the GPU; the dtype follows the array's type.
   * @throws ShapeError if the shape does not hold exactly these values.
   */
  tensor(values: HostArray, shape: Shape = [values.length]): Tensor {
    if (sizeOf(shape) !== values.length)
      throw new ShapeError("tensor", `${values.length} values do not fill the shape`, { shape });
    // Constants of a program are uploaded once, while it is captured: always eager.
    const made = this.withExecutor(this.eager, () =>
      this.allocate({ shape, dtype: dtypeOf(values) }, `constant ${show(shape)}`),
    );
    this.eager.write(made, values);
    return made;
  }

  /** Zeros of a shape. */
  zeros(shape: Shape, dtype: DType = "f32"): Tensor {
    return this.tensor(new HOST_ARRAYS[dtype](sizeOf(shape)), shape);
  }

  /** A tensor over part of another's memory, `offset` in bytes (a multiple of 256). */
  view(whole: Tensor, shape: Shape, offset: number): Tensor {
    return this.viewAs(whole, { shape, dtype: whole.dtype }, offset);
  }

  /** As {@link Engine.view}, under another dtype. */
  viewAs(whole: Tensor, meta: Meta, offset: number): Tensor {
    return this.own(new Tensor(this, meta, whole.storage, whole.offset + offset));
  }

  /** A u32 tensor of `slots` 256-byte slots that may be bound as uniforms; for step scalars. */
  uniformTensor(slots: number): Tensor {
    const bytes = slots * ALIGNMENT;
    const buffer = this.pool.acquireUniform(bytes, "step scalars");
    const storage = new Storage({ bytes, label: "step scalars", buffer }, () => {
      this.pool.release(buffer);
    });
    return this.own(new Tensor(this, { shape: [bytes / 4], dtype: "u32" }, storage));
  }

  /**
   * New memory with undefined content; for the engine's own parts.
   * @throws AdapterError for f16 where the adapter lacks shader-f16.
   */
  allocate(meta: Meta, label: string): Tensor {
    if (meta.dtype === "f16") needHalf(this.caps);
    const storage = this.executor.allocate(bytesOf(meta), label);
    return this.own(new Tensor(this, meta, storage));
  }

  private own(tensor: Tensor): Tensor {
    this.scopes.add(tensor);
    if (tensor.storage.virtual < 0) {
      const { storage } = tensor;
      // The registry is a backstop for tensors outside any scope: disposal by hand removes it.
      const token = { alive: true };
      tensor.onDispose(() => {
        token.alive = false;
      });
      this.collected.register(tensor, () => {
        if (token.alive) storage.release();
      });
    }
    return tensor;
  }

  /**
   * Runs an op record; `ops` is the usual way in.
   * @throws ShapeError as the op's rule says.
   */
  run(
    op: OpDef,
    inputs: readonly (Tensor | null)[],
    attrs: Attrs,
    variant?: string,
  ): readonly Tensor[] {
    for (const input of inputs) input?.assertAlive();
    this.observer?.({ op, inputs, attrs });
    const planned = this.plans.of(op, inputs, attrs, variant);
    const outputs = op.alias ? this.alias(inputs, planned) : this.dispatch(inputs, planned);
    this.tapes.at(-1)?.record(op, inputs, outputs, attrs);
    return outputs;
  }

  private alias(inputs: readonly (Tensor | null)[], { outputs }: Planned): Tensor[] {
    const [source] = inputs;
    const [output] = outputs;
    if (!source || !output) throw new TypeError("an alias op needs one input and one output");
    return [this.own(new Tensor(this, output.meta, source.storage, source.offset))];
  }

  private dispatch(inputs: readonly (Tensor | null)[], planned: Planned): Tensor[] {
    const outputs = planned.outputs.map(({ meta, label }) => this.allocate(meta, label));
    const temps = planned.temps.map(({ meta, label }) => this.allocate(meta, label));
    for (const pass of planned.passes)
      this.executor.enqueue(resolvePass(pass, { inputs, outputs, temps }, this.caps));
    for (const temp of temps) temp.dispose();
    return outputs;
  }

  /**
   * target ← value, in place: how state changes.
   * @throws ShapeError if the sizes or dtypes differ.
   */
  assign(target: Tensor, value: Tensor): void {
    if (target.size !== value.size)
      throw new ShapeError("assign", "sizes differ", { target: target.shape, value: value.shape });
    if (target.dtype !== value.dtype)
      throw new ShapeError("assign", `${value.dtype} does not fit ${target.dtype}; use cast`, {
        target: target.shape,
      });
    target.assertAlive();
    value.assertAlive();
    this.executor.copy(value, target);
  }

  /** Overwrites a tensor with host values, after the work queued before. */
  write(target: Tensor, values: HostArray): void {
    if (this.isCapturing)
      throw new CaptureError("write: a program cannot write host values; make them an input");
    if (target.size !== values.length)
      throw new ShapeError("write", `${values.length} values for`, { target: target.shape });
    if (target.dtype !== dtypeOf(values))
      throw new ShapeError("write", `${dtypeOf(values)} values for ${target.dtype}`, {
        target: target.shape,
      });
    this.eager.write(target, values);
  }

  /** Called by {@link Tensor.data}. */
  async read(tensor: Tensor): Promise<ArrayBuffer> {
    tensor.assertAlive();
    if (this.isCapturing)
      throw new CaptureError(
        "a program cannot read a tensor while it is captured; return it and read it after run()",
      );
    return this.eager.read(tensor);
  }

  /**
   * Runs `fn` and frees every tensor made inside that it does not return (alone, in arrays or in
   * records). Async functions may be nested but not interleaved.
   */
  scope<T>(fn: () => T): T {
    return this.scopes.run(fn);
  }

  /** Runs `fn` outside of all scopes: what it makes lives until it is disposed by hand. */
  detached<T>(fn: () => T): T {
    return this.scopes.detached(fn);
  }

  /** Runs `fn` with calls recorded on a tape. */
  withTape<T>(tape: Tape, fn: () => T): T {
    this.tapes.push(tape);
    try {
      return fn();
    } finally {
      this.tapes.pop();
    }
  }

  /** Runs `fn`, telling `observer` of every op that is called inside. */
  observe(observer: (call: OpCall) => void, fn: () => void): void {
    const before = this.observer;
    this.observer = observer;
    try {
      fn();
    } finally {
      this.observer = before;
    }
  }

  /** Runs `fn` with another executor, as a capture does. */
  withExecutor<T>(executor: Executor, fn: () => T): T {
    const before = this.executor;
    this.executor = executor;
    try {
      return fn();
    } finally {
      this.executor = before;
    }
  }

  /** Waits until all submitted work is done. */
  async finish(): Promise<void> {
    this.eager.flush();
    await this.gpu.device.queue.onSubmittedWorkDone();
    this.gpu.faults.check();
  }

  /** Gives the device back; every tensor is gone. */
  destroy(): void {
    this.gpu.device.destroy();
  }
}
