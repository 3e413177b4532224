/** Programs: a function recorded once per input shape, then replayed without allocations. */
import { CaptureError, ShapeError } from "../util/errors.ts";
import { at, bytesOf, show, sizeOf } from "../util/shape.ts";
import type { Meta, Shape } from "../util/shape.ts";
import { Recorder } from "./capture.ts";
import { isDebugged, programReport, untimedReport } from "./debug.ts";
import type { Engine } from "./engine.ts";
import type { ProgramOptions } from "./optimise.ts";
import { ALIGNMENT } from "./pool.ts";
import { hasTimestamps } from "./profile.ts";
import type { PassTime } from "./profile.ts";
import { Replay } from "./replay.ts";
import type { ProgramStats } from "./replay.ts";
import { tensorsIn } from "./scope.ts";
import { dtypeOf, Tensor } from "./tensor.ts";
import type { HostArray } from "./tensor.ts";

/** Host values with their shape; a bare typed array is a vector. */
export type ProgramInput = HostArray | { readonly values: HostArray; readonly shape: Shape };

/** Inputs by name. */
export type ProgramInputs<K extends string = string> = Readonly<Record<K, ProgramInput>>;

/** Tensors by input name, as the body sees them. */
export type InputTensors<K extends string = string> = Readonly<Record<K, Tensor>>;

/** A function that was recorded, or will be at its first run. */
export interface Program<K extends string, O> {
  /**
   * Replays the program on new inputs; captures it first when their shapes are new. The outputs
   * are the program's own memory: the next run overwrites them.
   */
  run(inputs: ProgramInputs<K>): Promise<O>;
  /**
   * Captures the program for inputs of these shapes, without running it: everything is compiled
   * then, and the first run takes as long as the next. The values do not matter.
   */
  prepare(inputs: ProgramInputs<K>): Promise<void>;
  /** Counts of the capture that the last run used. */
  readonly stats: ProgramStats | null;
  /**
   * Times every pass of the last run's capture by itself, by GPU timestamps. Slow, and state
   * changes as in a run: for finding out where time goes.
   * @throws CaptureError before the first run, or on an adapter without timestamps.
   */
  profile(): Promise<PassTime[]>;
  /** Frees all captures. */
  dispose(): void;
}

interface NamedInput {
  readonly name: string;
  readonly values: HostArray;
  readonly meta: Meta;
}

interface Capture<O> {
  readonly replay: Replay;
  /** Runs so far. */
  runs: number;
  readonly inputs: readonly Tensor[];
  /** All inputs of at most 256 bytes, in one buffer that one write fills. */
  readonly scalars: Tensor | null;
  readonly scalarHost: Uint8Array<ArrayBuffer>;
  readonly outputs: O;
}

function normalise(inputs: ProgramInputs): NamedInput[] {
  return Object.entries(inputs).map(([name, input]) => {
    const { values, shape } = "shape" in input ? input : { values: input, shape: [input.length] };
    if (sizeOf(shape) !== values.length)
      throw new ShapeError("program", `input ${name} has ${values.length} values for`, { shape });
    return { name, values, meta: { shape, dtype: dtypeOf(values) } };
  });
}

const isSmall = ({ meta }: NamedInput): boolean => bytesOf(meta) <= ALIGNMENT;

function makeInputs(
  engine: Engine,
  named: readonly NamedInput[],
): { tensors: Tensor[]; scalars: Tensor | null } {
  const small = named.filter(isSmall);
  // Scalars are bound as uniforms at 256-byte slots, so their buffer is the engine's uniform kind.
  const scalars = small.length > 0 ? engine.uniformTensor(small.length) : null;
  const tensors = named.map((input) => {
    if (!isSmall(input) || !scalars) return engine.allocate(input.meta, `input ${input.name}`);
    return engine.viewAs(scalars, input.meta, small.indexOf(input) * ALIGNMENT);
  });
  return { tensors, scalars };
}

/**
 * Records `body` once per input shape and replays it from then on.
 * State is what the body closes over and changes through in-place ops and `engine.assign`.
 *
 * @example
 * const double = program(engine, (\{ x \}) =\> engine.ops.add(x, x));
 * await (await double.run(\{ x: new Float32Array([1, 2]) \})).data(); // =\> [2, 4]
 *
 * @throws CaptureError if the body reads a tensor or is async.
 */
export function program<K extends string, O>(
  engine: Engine,
  body: (inputs: InputTensors<K>) => O,
  options: ProgramOptions = {},
): Program<K, O> {
  const captures = new Map<string, Promise<Capture<O>>>();
  let last: Replay | null = null;
  const captured = (named: readonly NamedInput[]): Promise<Capture<O>> =>
    once(captures, shapeKey(named), () => capture(engine, body, named, options));
  return {
    async prepare(inputs) {
      await captured(normalise(inputs));
    },
    async run(inputs) {
      const named = normalise(inputs);
      const ready = await captured(named);
      last = ready.replay;
      engine.gpu.faults.check();
      upload(engine, ready, named);
      ready.runs++;
      if (ready.runs === TIMED_RUN && isDebugged("program")) await runAloud(engine, ready.replay);
      else ready.replay.run();
      return ready.outputs;
    },
    get stats() {
      return last?.stats ?? null;
    },
    profile() {
      if (!last) throw new CaptureError("profile: run the program first");
      return last.profile();
    },
    dispose() {
      for (const pending of captures.values())
        void pending.then(({ replay, inputs, scalars }) => {
          replay.dispose();
          for (const input of inputs) input.dispose();
          scalars?.dispose();
        });
      captures.clear();
    },
  };
}

const shapeKey = (named: readonly NamedInput[]): string =>
  named.map(({ name, meta }) => `${name}:${meta.dtype}${show(meta.shape)}`).join();

/** What was made under a key; what failed may be tried again. */
function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(key);
  if (known) return known;
  const pending = make();
  made.set(key, pending);
  pending.catch(() => made.delete(key));
  return pending;
}

/** The run that finds everything compiled; under `DEBUG=program` it prints what it took. */
const TIMED_RUN = 2;

/** A run that prints its passes and, where the adapter has timestamps, what every one took. */
async function runAloud(engine: Engine, replay: Replay): Promise<void> {
  const isTimed = hasTimestamps(engine);
  if (!isTimed) replay.run();
  const report = isTimed
    ? programReport(await replay.profile(), replay.stats)
    : untimedReport(replay.passes, replay.stats);
  // eslint-disable-next-line no-console -- asked for by name, and libraries have no other voice
  console.log(report);
}

function upload(engine: Engine, capture: Capture<unknown>, named: readonly NamedInput[]): void {
  let slot = 0;
  named.forEach((input, index) => {
    if (!isSmall(input)) {
      engine.eager.write(at(capture.inputs, index), input.values);
      return;
    }
    const { buffer, byteOffset, byteLength } = input.values;
    capture.scalarHost.set(new Uint8Array(buffer, byteOffset, byteLength), slot * ALIGNMENT);
    slot++;
  });
  if (capture.scalars)
    engine.eager.write(capture.scalars, new Uint32Array(capture.scalarHost.buffer));
}

async function capture<K extends string, O>(
  engine: Engine,
  body: (inputs: InputTensors<K>) => O,
  named: readonly NamedInput[],
  options: ProgramOptions,
): Promise<Capture<O>> {
  if (engine.isCapturing)
    throw new CaptureError("a program cannot capture another one; run it apart");
  const { tensors, scalars } = engine.detached(() => makeInputs(engine, named));
  const recorder = new Recorder();
  const byName = Object.fromEntries(
    named.map(({ name }, index) => [name, at(tensors, index)]),
  ) as InputTensors<K>; // the names that `run` was given, which are K
  const outputs = engine.detached(() =>
    engine.withExecutor(recorder, () => engine.scope(() => body(byName))),
  );
  if (outputs instanceof Promise) {
    await outputs; // its own error, such as a read, says more
    throw new CaptureError("a program's body must not be async: it records, it does not wait");
  }
  forbidWrites(recorder, tensors);
  const results = [...tensorsIn(outputs)].filter(({ storage }) => storage.virtual >= 0);
  const pinned = new Set(results.map(({ storage }) => storage.virtual));
  const replay = await Replay.prepare(engine, recorder, pinned, options);
  const scalarHost = new Uint8Array(scalars ? scalars.bytes : 0);
  return {
    replay,
    runs: 0,
    inputs: tensors,
    scalars,
    scalarHost,
    outputs: real(engine, outputs, replay),
  };
}

/** Inputs are overwritten at every run, and small ones share a buffer: neither suits state. */
function forbidWrites(recorder: Recorder, inputs: readonly Tensor[]): void {
  const storages = new Set<object | null>(inputs.map(({ storage }) => storage));
  if (recorder.steps.some(({ uses }) => uses.some((use) => use.writes && storages.has(use.real))))
    throw new CaptureError(
      "a program may not change its inputs in place; keep the tensor outside of the body as state",
    );
}

/** The outputs with real memory in place of virtual. */
function real<O>(engine: Engine, outputs: O, replay: Replay): O {
  const convert = (value: unknown): unknown => {
    if (value instanceof Tensor) {
      if (value.storage.virtual < 0) return value;
      const storage = replay.storage(value.storage.virtual, value.storage);
      return new Tensor(engine, value, storage, value.offset);
    }
    if (Array.isArray(value)) return value.map(convert);
    if (typeof value === "object" && value !== null && value.constructor === Object)
      return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, convert(entry)]));
    return value;
  };
  return convert(outputs) as O; // same structure, tensor for tensor
}
