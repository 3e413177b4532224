/** Picks the elementwise passes of a program that join the kernel before them. Pure: no GPU here. */
import { canLead, fusePasses } from "../kernels/fuse.ts";
import type { Link } from "../kernels/fuse.ts";
import type { Caps, Pass } from "../kernels/op.ts";
import { at } from "../util/shape.ts";
import type { PassStep, RecordedStep } from "./capture.ts";
import { overlaps, stepsByStorage } from "./plan.ts";
import type { Use } from "./plan.ts";

/** What the search for partners looks at. */
interface Program {
  readonly steps: readonly RecordedStep[];
  readonly pinned: ReadonlySet<number>;
  readonly caps: Caps;
  /** Indices of the steps that touch a virtual storage. */
  readonly touching: ReadonlyMap<number, readonly number[]>;
  /** Steps that have joined an earlier one. */
  readonly gone: Set<number>;
}

/** Steps that run as one, in the first one's place. */
interface Group {
  readonly members: readonly number[];
  readonly links: readonly Link[];
  readonly step: PassStep;
  /** Where the last value goes. */
  readonly value: Use;
}

/**
 * The steps with elementwise passes merged into what makes their operand: a pass moves up to that
 * kernel, unless a step in between touches what it writes or writes what it reads. A value that
 * nobody else reads is never stored.
 */
export function fuseSteps(
  steps: readonly RecordedStep[],
  pinned: ReadonlySet<number>,
  caps: Caps,
): RecordedStep[] {
  const program = { steps, pinned, caps, touching: stepsByStorage(steps), gone: new Set<number>() };
  return steps.flatMap((step, index) => {
    if (program.gone.has(index)) return [];
    if (step.kind !== "pass" || !canLead(step.resolved.pass)) return [step];
    let group = alone(step, index);
    for (let next = extend(program, group); next; next = extend(program, group)) {
      group = next;
      program.gone.add(at(group.members, -1));
    }
    return [group.step];
  });
}

/** The binding that holds what an elementwise pass, or a kernel with a tail, makes. */
const resultOf = ({ tail, stage }: Pass): number => tail?.binding ?? stage?.operands.length ?? 0;

function alone(step: PassStep, index: number): Group {
  const value = at(step.uses, resultOf(step.resolved.pass));
  return { members: [index], links: [], step, value };
}

/** The group with one more elementwise pass that reads its value, if there is any that may. */
function extend(program: Program, group: Group): Group | null {
  const { value } = group;
  if (value.real !== null) return null;
  const touching = program.touching.get(value.virtual) ?? [];
  const others = touching.filter((index) => !group.members.includes(index));
  for (const index of others) {
    const keepsValue = others.length > 1 || program.pinned.has(value.virtual);
    const joined = join(program, group, index, keepsValue);
    if (joined) return joined;
  }
  return null;
}

function join(program: Program, group: Group, index: number, keepsValue: boolean): Group | null {
  const { steps, caps } = program;
  const step = at(steps, index);
  if (step.kind !== "pass" || !canMoveUp(program, group, index)) return null;
  const { pass } = step.resolved;
  const { stage } = pass;
  if (!stage) return null;
  const fed = stage.operands.flatMap((_, k) => (isSame(at(step.uses, k), group.value) ? [k] : []));
  if (fed.length === 0 || fed.some((k) => stage.operands[k]?.kind !== "full")) return null;
  const links = [...group.links, { pass: { ...pass, stage }, fed, keepsValue }];
  const members = [...group.members, index];
  const parts = members.map((member) => at(steps, member)).filter((part) => part.kind === "pass");
  const fused = fusePasses(at(parts, 0).resolved.pass, links, caps);
  if (!fused) return null;
  const uses = fused.sources.map(({ member, binding }) => at(at(parts, member).uses, binding));
  if (bindsTwice(uses)) return null;
  const bindings = fused.sources.map(({ member, binding }) =>
    at(at(parts, member).resolved.bindings, binding),
  );
  const merged: PassStep = { kind: "pass", uses, resolved: { pass: fused.pass, bindings } };
  return { members, links, step: merged, value: at(step.uses, resultOf(pass)) };
}

const isSame = (a: Use, b: Use): boolean =>
  a.virtual === b.virtual && a.real === b.real && a.offset === b.offset && a.size === b.size;

/** No step on the way up writes what the pass reads, or touches what it writes. */
function canMoveUp({ steps, gone }: Program, { members }: Group, index: number): boolean {
  const { uses } = at(steps, index);
  for (let between = at(members, 0) + 1; between < index; between++) {
    if (gone.has(between)) continue;
    const others = at(steps, between).uses;
    if (others.some((a) => uses.some((b) => (a.writes || b.writes) && overlaps(a, b))))
      return false;
  }
  return true;
}

/** WebGPU forbids one buffer as `read` and `read_write`, or twice as `read_write`, in one pass. */
const bindsTwice = (uses: readonly Use[]): boolean =>
  uses.some(
    (a) =>
      a.writes &&
      uses.some((b) => b !== a && b.virtual === a.virtual && (a.virtual >= 0 || b.real === a.real)),
  );
