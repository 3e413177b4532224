/** What ops over flat arenas share: one dispatch for all of an arena, updated in place. */
import type { SweepOptions } from "../../shaders/lib/sweep.wgsl.ts";
import type { PackWidth } from "../../shaders/lib/pack.wgsl.ts";
import { ShapeError } from "../util/errors.ts";
import { sameShape, sizeOf } from "../util/shape.ts";
import { need } from "./op.ts";
import type { Binding, InputMetas, Param, Pass, Variant } from "./op.ts";
import { ELEMENT_WORKGROUP, elementGrid, u } from "./pass.ts";

/** Four floats at a time where the size allows it, as in arenas of 256-byte aligned views. */
export const arenaWidth = (size: number): PackWidth => (size % 4 === 0 ? 4 : 1);

/**
 * Checks that the inputs named are arenas of one shape.
 * @throws ShapeError naming the first that is not.
 */
export function checkArenas(
  op: string,
  inputs: InputMetas,
  names: Readonly<Record<string, number>>,
): void {
  const [first, ...others] = Object.entries(names);
  if (!first) return;
  const { shape } = need(inputs, first[1]);
  for (const [name, index] of others) {
    const other = inputs[index];
    if (other && !sameShape(other.shape, shape))
      throw new ShapeError(op, `${name} must have the shape of ${first[0]}`, {
        [first[0]]: shape,
        [name]: other.shape,
      });
  }
}

/**
 * Checks that inputs hold so many values, as step scalars do.
 * @throws ShapeError naming the first that does not.
 */
export function checkScalars(
  op: string,
  inputs: InputMetas,
  names: Readonly<Record<string, readonly [index: number, count: number]>>,
): void {
  for (const [name, [index, count]] of Object.entries(names)) {
    const { shape } = need(inputs, index);
    if (sizeOf(shape) !== count)
      throw new ShapeError(op, `${name} must hold ${count} value${count === 1 ? "" : "s"}`, {
        [name]: shape,
      });
  }
}

/** One pack an invocation: with 4 of them AdamW runs at half the speed on lavapipe. */
const ARENA_SWEEP: SweepOptions = { workgroup: ELEMENT_WORKGROUP, each: 1 };

/** How an arena op fills its one pass; params begin with the number of packs. */
export interface ArenaPass<A> {
  code(options: SweepOptions & { readonly width: PackWidth }, inputs: InputMetas, attrs: A): string;
  bindings(inputs: InputMetas): readonly Binding[];
  params(attrs: A): readonly Param[];
  /** Operations and floats moved per element. */
  readonly flops: number;
  readonly floats: number;
}

/** The variants of an op that goes once over the arena of input 0. */
export function arenaVariants<A>(
  op: string,
  arena: ArenaPass<A>,
): { readonly element: Variant<A> } {
  return {
    element: {
      usable: () => true,
      plan(inputs, attrs, caps) {
        const size = sizeOf(need(inputs, 0).shape);
        const width = arenaWidth(size);
        const pass: Pass = {
          label: `${op} [${size}]`,
          code: arena.code({ ...ARENA_SWEEP, width }, inputs, attrs),
          bindings: arena.bindings(inputs),
          params: [u(size / width), ...arena.params(attrs)],
          grid: elementGrid(size / width, caps),
          flops: arena.flops * size,
          bytes: 4 * arena.floats * size,
        };
        return { temps: [], passes: size > 0 ? [pass] : [] };
      },
    },
  };
}
