/** Merges elementwise passes into the kernel that makes their operand; engine/fusion.ts picks them. */
import { elementwise } from "../../shaders/elementwise.wgsl.ts";
import { epilogue } from "../../shaders/lib/epilogue.wgsl.ts";
import type { EpilogueStage } from "../../shaders/lib/epilogue.wgsl.ts";
import { at } from "../util/shape.ts";
import type { Caps, Param, Pass, Stage, Tail } from "./op.ts";
import { sweepGrid, sweepOptions, u } from "./pass.ts";

/** An elementwise pass that joins what came before it. */
export interface Link {
  readonly pass: Pass & { readonly stage: Stage };
  /** Its operands that are the value made before. */
  readonly fed: readonly number[];
  /** Others read that value too, so it is stored as well. */
  readonly keepsValue: boolean;
}

/** A binding of a fused pass: which of the merged passes it is from (0: the first), and where. */
export interface Source {
  readonly member: number;
  readonly binding: number;
}

/** A pass that does the work of several. */
export interface FusedPass {
  readonly pass: Pass;
  /** Where each of its bindings comes from, in order. */
  readonly sources: readonly Source[];
}

/** Whether a pass can be the first of a fused one. */
export const canLead = ({ tail, stage }: Pass): boolean =>
  tail !== undefined || stage !== undefined;

/** Words of params in one 256-byte slot. */
const MAX_WORDS = 64;

const typeOf = (word: Param): "u32" | "i32" | "f32" =>
  "u32" in word ? "u32" : "i32" in word ? "i32" : "f32";

/** Whether link `index` makes a value that goes to memory: the last one, and what others read. */
const isStored = (links: readonly Link[], index: number): boolean =>
  links[index + 1]?.keepsValue ?? true;

function epilogueStage({ pass: { stage }, fed, keepsValue }: Link, width: 1 | 4): EpilogueStage {
  return {
    name: stage.name,
    blocks: stage.blocks(width),
    operands: stage.operands.map(({ kind, isHalf = false }, k) =>
      fed.includes(k) ? { kind: "value", isHalf: false } : { kind, isHalf },
    ),
    isHalf: stage.isHalf ?? false,
    words: stage.words.map(typeOf),
    isIndexed: stage.isIndexed ?? false,
    keepsValue,
  };
}

/** Params that a link adds, in the order of the epilogue's fields. */
function linkParams({ pass: { stage }, fed }: Link, width: 1 | 4): Param[] {
  const repeated = stage.operands.filter(({ kind }, k) => kind === "repeat" && !fed.includes(k));
  return [...repeated.map(({ count }) => u(count / width)), ...stage.words];
}

/** Bindings of the links: operands that are not fed, and results that are stored. */
function linkSources(links: readonly Link[], firstMember: number): Source[] {
  return links.flatMap(({ pass: { stage }, fed }, index) => {
    const result = stage.operands.length;
    const operands = stage.operands.map((_, k) => k).filter((k) => !fed.includes(k));
    const bound = isStored(links, index) ? [...operands, result] : operands;
    return bound.map((binding) => ({ member: firstMember + index, binding }));
  });
}

/** Traffic that merging saves: values that are not stored, and operands that are not read again. */
const savedBytes = (links: readonly Link[], count: number): number =>
  links.reduce((total, { pass: { stage }, fed, keepsValue }) => {
    const bytes = at(stage.operands, at(fed, 0)).isHalf ? 2 : 4;
    return total + bytes * count * (fed.length + (keepsValue ? 0 : 1));
  }, 0);

/** What a kernel with a tail becomes; its output takes the first value that is stored. */
function extendKernel(first: Pass, tail: Tail, links: readonly Link[]): FusedPass {
  const own = first.bindings.map((_, binding): Source => ({ member: 0, binding }));
  const added = linkSources(links, 1);
  const isResult = ({ member, binding }: Source): boolean =>
    binding === links[member - 1]?.pass.stage.operands.length;
  const taken = links[0]?.keepsValue ? -1 : added.findIndex(isResult);
  const sources = [
    ...own.with(tail.binding, added[taken] ?? at(own, tail.binding)),
    ...added.filter((_, index) => index !== taken),
  ];
  const stages = links.map((link) => epilogueStage(link, tail.width));
  const firstBinding = first.bindings.length;
  const { width, name: output } = tail;
  const dispatch = {
    code: tail.code(epilogue({ width, output, firstBinding, stages })),
    params: [...first.params, ...links.flatMap((link) => linkParams(link, width))],
    grid: first.grid,
  };
  return { pass: merged([first, ...links.map(({ pass }) => pass)], dispatch, sources), sources };
}

/** What a chain of elementwise passes becomes: a kernel that is nothing but stages. */
function elementwiseChain(first: Pass, rest: readonly Link[], caps: Caps): FusedPass {
  const { stage } = first;
  if (!stage) throw new RangeError(`${first.label} is not elementwise`);
  const links = [{ pass: { ...first, stage }, fed: [], keepsValue: false }, ...rest];
  const width = links.every((link) => fitsWidth(link.pass.stage, 4)) ? 4 : 1;
  const stages = links.map((link) => epilogueStage(link, width));
  const text = epilogue({ width, output: null, firstBinding: 0, stages });
  const values = stage.count / width;
  const dispatch = {
    code: elementwise({ ...sweepOptions(caps), epilogue: text }),
    params: [u(values), ...links.flatMap((link) => linkParams(link, width))],
    grid: sweepGrid(values, caps),
  };
  const sources = linkSources(links, 0);
  const passes = links.map(({ pass }) => pass);
  return { pass: merged(passes, dispatch, sources), sources };
}

const fitsWidth = ({ count, operands }: Stage, width: number): boolean =>
  count % width === 0 &&
  operands.every(
    ({ kind, count: own }) => kind === "scalar" || kind === "key" || own % width === 0,
  );

/** The passes' labels, bindings and costs as one. */
function merged(
  passes: readonly Pass[],
  dispatch: Pick<Pass, "code" | "params" | "grid">,
  sources: readonly Source[],
): Pass {
  const [first, ...rest] = passes;
  return {
    ...dispatch,
    label: [first?.label, ...rest.map(({ stage }) => stage?.name)].join(" + "),
    bindings: sources.map(({ member, binding }) => at(at(passes, member).bindings, binding)),
    flops: passes.reduce((total, { flops = 0 }) => total + flops, 0),
    bytes: passes.reduce((total, { bytes = 0 }) => total + bytes, 0),
  };
}

/**
 * One pass that does the work of `first` and of the links after it, or null where their sizes or
 * the adapter's bindings forbid it.
 */
export function fusePasses(first: Pass, links: readonly Link[], caps: Caps): FusedPass | null {
  const { tail, stage } = first;
  const count = tail?.count ?? stage?.count ?? 0;
  if (links.some(({ pass }) => pass.stage.count !== count)) return null;
  if (tail && links.some(({ pass }) => !fitsWidth(pass.stage, tail.width))) return null;
  const fused = tail ? extendKernel(first, tail, links) : elementwiseChain(first, links, caps);
  const { bindings, params, bytes = 0 } = fused.pass;
  const storages = bindings.filter(({ access }) => access !== "uniform");
  if (storages.length > caps.maxStorageBuffers || params.length > MAX_WORDS) return null;
  return { ...fused, pass: { ...fused.pass, bytes: bytes - savedBytes(links, count) } };
}
