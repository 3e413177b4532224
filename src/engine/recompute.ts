/** Memory for time: cheap values that wait long for their next reader are made again for it. Pure. */
import type { Pass, Stage } from "../kernels/op.ts";
import { at } from "../util/shape.ts";
import { withStorages } from "./capture.ts";
import type { PassStep, RecordedStep } from "./capture.ts";
import { overlaps, stepsByStorage } from "./plan.ts";
import type { Use } from "./plan.ts";
import type { Storage } from "./tensor.ts";

/** Steps that a value must wait to be worth a second computation. */
const MIN_WAIT = 8;

/** Where the steps touch each virtual storage. */
interface Program {
  readonly steps: readonly RecordedStep[];
  readonly pinned: ReadonlySet<number>;
  readonly touching: ReadonlyMap<number, readonly number[]>;
  readonly memory: VirtualMemory;
}

/** Gives out virtual storages; the recorder. */
interface VirtualMemory {
  allocate(bytes: number, label: string): Storage;
}

/** Passes that make values again, and where these are then. */
interface Rebuilt {
  readonly steps: readonly PassStep[];
  readonly instead: ReadonlyMap<number, Storage>;
}

const isCheap = (step: RecordedStep): step is PassStep =>
  step.kind === "pass" &&
  (step.resolved.pass.stage !== undefined || step.resolved.pass.isCheap === true);

/**
 * Activation recomputation (Chen et al., 2016) of what costs little: elementwise passes and
 * normalisations. Between the forward and the backward pass their results need no memory where
 * they can be made again from what is kept anyway.
 */
export function recomputeLate(
  steps: readonly RecordedStep[],
  pinned: ReadonlySet<number>,
  memory: VirtualMemory,
): RecordedStep[] {
  const touching = stepsByStorage(steps);
  const program: Program = { steps, pinned, touching, memory };
  const ahead = new Map<number, PassStep[]>();
  const moved = new Map<number, Map<number, Storage>>();
  steps.forEach((step, writer) => {
    if (!isCheap(step)) return;
    const { virtual } = largestResult(step);
    const late = lateReaders(program, writer, virtual);
    const rebuilt = late.length > 0 ? rebuild(program, writer, at(late, 0)) : null;
    const storage = rebuilt?.instead.get(virtual);
    if (!rebuilt || !storage) return;
    ahead.set(at(late, 0), [...(ahead.get(at(late, 0)) ?? []), ...rebuilt.steps]);
    for (const reader of late)
      moved.set(reader, new Map([...(moved.get(reader) ?? []), [virtual, storage]]));
  });
  return steps.flatMap((step, index) => {
    const instead = moved.get(index);
    const read = instead && step.kind === "pass" ? withStorages(step, instead) : step;
    return [...(ahead.get(index) ?? []), read];
  });
}

/** What a pass is run again for; sums and means beside it are small, and kept. */
const largestResult = ({ uses }: PassStep): Use =>
  uses.filter((use) => use.writes).reduce((a, b) => (b.size > a.size ? b : a));

/** The pass that makes a value; null where it is real memory, or also changed or copied. */
function soleWriter({ steps, touching }: Program, virtual: number): number | null {
  const [first, ...others] = virtual < 0 ? [] : (touching.get(virtual) ?? []);
  const onlyReads = others.every((index) => {
    const { kind, uses } = at(steps, index);
    return kind === "pass" && uses.every((use) => use.virtual !== virtual || !use.writes);
  });
  return first === undefined || !onlyReads ? null : first;
}

/** The readers after a value's longest wait; none where the wait is short or it is returned. */
function lateReaders(program: Program, writer: number, virtual: number): number[] {
  if (program.pinned.has(virtual) || soleWriter(program, virtual) !== writer) return [];
  const readers = (program.touching.get(virtual) ?? []).slice(1);
  const waits = readers.map((index, k) => index - (readers[k - 1] ?? writer));
  const longest = Math.max(...waits);
  return longest < MIN_WAIT ? [] : readers.slice(waits.indexOf(longest));
}

/** The writer's pass again before step `when`, after those of its operands that are gone by then. */
function rebuild(program: Program, writer: number, when: number): Rebuilt | null {
  const step = at(program.steps, writer);
  if (!isCheap(step)) return null;
  const before: PassStep[] = [];
  const instead = new Map<number, Storage>();
  for (const use of step.uses) {
    if (use.writes || stands(program, use, writer, when)) continue;
    const source = soleWriter(program, use.virtual);
    const operand = source === null ? null : rebuild(program, source, when);
    if (!operand) return null;
    before.push(...operand.steps);
    for (const [virtual, storage] of operand.instead) instead.set(virtual, storage);
  }
  step.resolved.bindings.forEach(({ storage, access }) => {
    if (access === "read_write")
      instead.set(storage.virtual, program.memory.allocate(storage.bytes, storage.label));
  });
  const again = withStorages(step, instead);
  return { steps: [...before, pinnedDown(again)], instead };
}

/** The step without its stage, so that fusion does not move it back to where its operand was made. */
function pinnedDown({ resolved, ...step }: PassStep): PassStep {
  const pass: Pass & { stage?: Stage } = { ...resolved.pass };
  delete pass.stage;
  return { ...step, resolved: { ...resolved, pass } };
}

/** Whether what step `from` read is still there at step `when`, without living longer for it. */
function stands(
  { steps, pinned, touching }: Program,
  use: Use,
  from: number,
  when: number,
): boolean {
  for (let index = from + 1; index < when; index++)
    if (at(steps, index).uses.some((other) => other.writes && overlaps(other, use))) return false;
  if (use.real !== null || pinned.has(use.virtual)) return true;
  return at(touching.get(use.virtual) ?? [], -1) >= when;
}
