/** A captured program with its memory and bind groups, ready to be replayed with one submit. */
import type { RecordedStep, Recorder } from "./capture.ts";
import { liveBuffer } from "./eager.ts";
import type { Engine } from "./engine.ts";
import { bindingKinds, paramBytes, writeParams } from "./executor.ts";
import type { Pipeline } from "./pipelines.ts";
import { optimise } from "./optimise.ts";
import type { Optimised, ProgramOptions } from "./optimise.ts";
import { mostLiveBytes } from "./live.ts";
import { lifetimesOf, ownMemory, placeCopies, planMemory } from "./plan.ts";
import { ALIGNMENT, GPU_BUFFER_USAGE } from "./pool.ts";
import { encodeCopy, profilePasses } from "./profile.ts";
import type { Command, PassCost, PassTime, Range } from "./profile.ts";
import { Storage } from "./tensor.ts";
import { warmUp } from "./warmup.ts";

/** What a program costs; counted, not measured. */
export interface ProgramStats {
  readonly passes: number;
  /** Passes that joined another one, or whose results an earlier one has. */
  readonly merged: number;
  /** Passes that run a second time, to save memory. */
  readonly recomputed: number;
  readonly copies: number;
  readonly slots: number;
  readonly slotBytes: number;
  /** Bytes that the intermediate values would take without reuse. */
  readonly virtualBytes: number;
  /** Most bytes of intermediate values that are needed at one moment: no plan takes less. */
  readonly liveBytes: number;
  readonly flops: number;
  /** Bytes that the passes read and write, as their plans count them. */
  readonly bytes: number;
}

/** Replays a recorded program. */
export class Replay {
  readonly stats: ProgramStats;
  /** Memory of each virtual storage that is still needed. */
  private readonly ranges: ReadonlyMap<number, Range>;
  private readonly commands: readonly Command[];
  private readonly engine: Engine;
  private readonly slots: readonly GPUBuffer[];
  private readonly params: GPUBuffer | null;
  private readonly held: ReadonlySet<Storage>;

  private constructor(engine: Engine, recorder: Recorder, memory: Memory, commands: Command[]) {
    this.engine = engine;
    this.commands = commands;
    this.ranges = memory.ranges;
    this.slots = memory.slots;
    this.params = memory.params;
    this.held = recorder.held;
    const passes = memory.optimised.steps.filter((step) => step.kind === "pass");
    this.stats = {
      passes: passes.length,
      merged: memory.optimised.merged,
      recomputed: memory.optimised.recomputed,
      copies: memory.optimised.steps.length - passes.length,
      slots: memory.slots.length,
      slotBytes: memory.slots.reduce((total, { size }) => total + size, 0),
      virtualBytes: [...recorder.sizes.values()].reduce((a, b) => a + b, 0),
      liveBytes: memory.liveBytes,
      flops: passes.reduce((total, { resolved }) => total + (resolved.pass.flops ?? 0), 0),
      bytes: passes.reduce((total, { resolved }) => total + (resolved.pass.bytes ?? 0), 0),
    };
  }

  /** Plans memory, compiles all pipelines, to the machine code, and makes the bind groups. */
  static async prepare(
    engine: Engine,
    recorder: Recorder,
    pinned: ReadonlySet<number>,
    options: ProgramOptions,
  ): Promise<Replay> {
    const memory = allocate(engine, recorder, pinned, options);
    const pipelines = await compile(engine, memory.optimised.steps);
    const commands = memory.optimised.steps.map((step, index) =>
      command(engine, step, { memory, pipelines, index }),
    );
    await warmUp(engine.gpu.device, commands);
    return new Replay(engine, recorder, memory, commands);
  }

  /** The memory of a virtual storage that was pinned. */
  storage(virtual: number, like: Storage): Storage {
    const range = this.ranges.get(virtual);
    if (!range) throw new RangeError(`${like.label} is not part of the program`);
    return new Storage(
      { bytes: like.bytes, label: like.label, buffer: range.buffer },
      () => undefined, // the program owns its slots
    );
  }

  /** One encoder, one submit; no allocation but the encoder's own. */
  run(): void {
    this.engine.eager.flush();
    const { device } = this.engine.gpu;
    const encoder = device.createCommandEncoder({ label: "program" });
    let pass: GPUComputePassEncoder | null = null;
    for (const step of this.commands)
      if (step.kind === "pass") {
        pass ??= encoder.beginComputePass({ label: "program" });
        pass.setPipeline(step.pipeline);
        pass.setBindGroup(0, step.bindGroup, step.offsets);
        pass.dispatchWorkgroups(...step.grid);
      } else {
        pass?.end();
        pass = null;
        encodeCopy(encoder, step);
      }
    pass?.end();
    device.queue.submit([encoder.finish()]);
  }

  /** The passes in order. */
  get passes(): readonly PassCost[] {
    return this.commands.filter((step) => step.kind === "pass");
  }

  /** A run that times every pass by itself. */
  profile(): Promise<PassTime[]> {
    this.engine.eager.flush();
    return profilePasses(this.engine, this.commands);
  }

  /** Gives slots and held constants back. */
  dispose(): void {
    for (const slot of this.slots) this.engine.pool.release(slot);
    this.params?.destroy();
    for (const storage of this.held) storage.release();
  }
}

interface Memory {
  readonly optimised: Optimised;
  readonly ranges: ReadonlyMap<number, Range>;
  readonly slots: readonly GPUBuffer[];
  readonly params: GPUBuffer | null;
  readonly liveBytes: number;
}

function allocate(
  engine: Engine,
  recorder: Recorder,
  pinned: ReadonlySet<number>,
  options: ProgramOptions,
): Memory {
  const optimised = optimise(recorder, pinned, engine.caps, options);
  const needed = optimised.steps;
  const placed = placeCopies(needed, recorder.sizes, pinned);
  const steps = needed.filter(
    (step) => step.kind === "pass" || !placed.has(step.source.storage.virtual),
  );
  const lifetimes = lifetimesOf(steps, pinned);
  const ranges = new Map<number, Range>();
  for (const [id, { real, offset }] of placed) {
    lifetimes.delete(id);
    if (real instanceof Storage) ranges.set(id, { buffer: liveBuffer(real), offset });
  }
  const plan = (options.reuse ?? true) ? planMemory : ownMemory;
  const { slotBytes, slotOf } = plan(lifetimes, recorder.sizes);
  const slots = slotBytes.map((bytes, index) =>
    engine.pool.acquire(bytes, `program slot ${index}`),
  );
  for (const [id, slot] of slotOf) {
    const buffer = slots[slot];
    if (buffer) ranges.set(id, { buffer, offset: 0 });
  }
  return {
    optimised: { ...optimised, steps },
    ranges,
    slots,
    params: writeAllParams(engine, steps),
    liveBytes: mostLiveBytes(lifetimes, recorder.sizes),
  };
}

/** Static params of all passes: one buffer, one 256-byte slot per step. */
function writeAllParams(engine: Engine, steps: readonly RecordedStep[]): GPUBuffer | null {
  if (steps.length === 0) return null;
  const host = new DataView(new ArrayBuffer(steps.length * ALIGNMENT));
  steps.forEach((step, index) => {
    if (step.kind === "pass") writeParams(step.resolved.pass, host, index * ALIGNMENT);
  });
  const { device } = engine.gpu;
  const buffer = device.createBuffer({
    label: "program params",
    size: host.byteLength,
    usage: GPU_BUFFER_USAGE.UNIFORM | GPU_BUFFER_USAGE.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, host.buffer);
  return buffer;
}

/** All distinct pipelines of the program, compiled in parallel; in step order. */
async function compile(
  engine: Engine,
  steps: readonly RecordedStep[],
): Promise<readonly (Pipeline | null)[]> {
  const byCode = new Map<string, Promise<Pipeline>>();
  const wanted = steps.map((step) => {
    if (step.kind === "copy") return Promise.resolve(null);
    const { pass } = step.resolved;
    const kinds = bindingKinds(pass);
    const key = `${kinds.join()}\n${pass.code}`;
    const known = byCode.get(key) ?? engine.pipelines.getAsync(pass.label, pass.code, kinds);
    byCode.set(key, known);
    return known;
  });
  return Promise.all(wanted);
}

function command(
  engine: Engine,
  step: RecordedStep,
  at: { memory: Memory; pipelines: readonly (Pipeline | null)[]; index: number },
): Command {
  const { memory, pipelines, index } = at;
  const range = (storage: Storage, offset: number): Range => {
    if (storage.virtual < 0) return { buffer: liveBuffer(storage), offset };
    const base = memory.ranges.get(storage.virtual);
    if (!base) throw new RangeError(`${storage.label} was planned away but is used`);
    return { buffer: base.buffer, offset: base.offset + offset };
  };
  if (step.kind === "copy") {
    const { source, target } = step;
    return {
      kind: "copy",
      from: range(source.storage, source.offset),
      to: range(target.storage, target.offset),
      bytes: source.bytes,
    };
  }
  const { pass, bindings } = step.resolved;
  const made = pipelines[index];
  if (!made) throw new RangeError(`${pass.label} has no pipeline`);
  const entries: GPUBindGroupEntry[] = bindings.map(({ storage, offset, size }, binding) => ({
    binding,
    resource: { ...range(storage, offset), size },
  }));
  if (pass.params.length > 0 && memory.params)
    entries.push({
      binding: entries.length,
      resource: { buffer: memory.params, offset: 0, size: paramBytes(pass) },
    });
  const bindGroup = engine.gpu.device.createBindGroup({
    label: pass.label,
    layout: made.layout,
    entries,
  });
  const { label, grid, flops = 0, bytes = 0 } = pass;
  const offsets = pass.params.length > 0 ? [index * ALIGNMENT] : [];
  return { kind: "pass", label, pipeline: made.pipeline, bindGroup, offsets, grid, flops, bytes };
}
