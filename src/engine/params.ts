/** Parameters in a few flat buffers (arenas), so that one dispatch updates them all. */
import { LimitError } from "../util/errors.ts";
import { at, bytesOf, ceilDiv, ELEMENT_BYTES, meta, sizeOf } from "../util/shape.ts";
import type { Shape } from "../util/shape.ts";
import type { Engine } from "./engine.ts";
import { ALIGNMENT } from "./pool.ts";
import type { Tensor } from "./tensor.ts";

/** A parameter with its initial values. */
export interface ParamSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float32Array;
  /** Whether weight decay applies; by convention to matrices, not to biases and norms. */
  readonly decay?: boolean;
}

/** Where a parameter lies: which arena, and the byte it starts at. */
export interface ParamPlace {
  readonly arena: number;
  readonly offset: number;
}

/**
 * Packs parameters into arenas of at most `maxBytes`, each parameter at a multiple of 256 bytes.
 * @throws LimitError if one parameter alone is larger.
 */
export function layoutArenas(
  specs: readonly Pick<ParamSpec, "name" | "shape">[],
  maxBytes: number,
): { places: ParamPlace[]; arenaBytes: number[] } {
  const arenaBytes: number[] = [];
  const places = specs.map(({ name, shape }) => {
    const bytes = ceilDiv(bytesOf(meta(shape)), ALIGNMENT) * ALIGNMENT;
    if (bytes > maxBytes)
      throw new LimitError(`parameter ${name} takes ${bytes} bytes, a binding at most ${maxBytes}`);
    const last = arenaBytes.at(-1);
    if (last === undefined || last + bytes > maxBytes) arenaBytes.push(0);
    const arena = arenaBytes.length - 1;
    const offset = at(arenaBytes, arena);
    arenaBytes[arena] = offset + bytes;
    return { arena, offset };
  });
  return { places, arenaBytes };
}

/** Named parameters that share arenas. Long-lived: make it outside of scopes. */
export class ParamSet {
  readonly names: readonly string[];
  /** Flat f32 buffers; padding between parameters is zero. */
  readonly arenas: readonly Tensor[];
  private readonly engine: Engine;
  private readonly places: readonly ParamPlace[];
  private readonly shapes: readonly Shape[];
  private readonly views: ReadonlyMap<string, Tensor>;
  private readonly decays: readonly boolean[];

  /** Uploads the initial values. */
  constructor(engine: Engine, specs: readonly ParamSpec[]) {
    this.engine = engine;
    this.names = specs.map(({ name }) => name);
    this.shapes = specs.map(({ shape }) => shape);
    const { places, arenaBytes } = layoutArenas(specs, engine.caps.maxBindingBytes);
    this.places = places;
    const values = arenaBytes.map((bytes) => new Float32Array(bytes / ELEMENT_BYTES.f32));
    specs.forEach((spec, index) => {
      const { arena, offset } = at(places, index);
      const start = offset / ELEMENT_BYTES.f32;
      at(values, arena).set(spec.values, start);
    });
    this.arenas = values.map((arena) => engine.tensor(arena));
    this.decays = specs.map(({ decay = false }) => decay);
    this.views = new Map(this.names.map((name, k) => [name, this.viewOf(this.arenas, k)]));
  }

  private viewOf(arenas: readonly Tensor[], index: number): Tensor {
    const { arena, offset } = at(this.places, index);
    return this.engine.view(at(arenas, arena), at(this.shapes, index), offset);
  }

  /**
   * A parameter by name.
   * @throws RangeError listing a few names if there is none.
   */
  get(name: string): Tensor {
    const found = this.views.get(name);
    if (!found)
      throw new RangeError(
        `no parameter ${name}; there are ${this.names.slice(0, 6).join(", ")}, …`,
      );
    return found;
  }

  /** New arenas of the same layout, 1 where weight decay applies, else 0: for optimizers that decay. */
  decayMask(): Tensor[] {
    const masks = this.arenas.map(({ size }) => new Float32Array(size));
    this.decays.forEach((decay, index) => {
      const { arena, offset } = at(this.places, index);
      const start = offset / ELEMENT_BYTES.f32;
      if (decay) at(masks, arena).fill(1, start, start + sizeOf(at(this.shapes, index)));
    });
    return masks.map((mask) => this.engine.tensor(mask));
  }

  /** All parameters, in the order of {@link ParamSet.names}. */
  get tensors(): Tensor[] {
    return this.names.map((name) => this.get(name));
  }

  /** Zeroed arenas of the same layout: gradients, momenta. */
  zeros(): Tensor[] {
    return this.arenas.map(({ shape }) => this.engine.zeros(shape));
  }

  /**
   * Copies one tensor per parameter into arenas of this layout; inside a program the copies
   * vanish, because the tensors are then computed in place.
   */
  pack(tensors: readonly Tensor[], into: readonly Tensor[]): void {
    tensors.forEach((tensor, index) => {
      this.engine.assign(this.viewOf(into, index), tensor);
    });
  }

  /** Host copies of every parameter, from `arenas` of this layout (default: the values). */
  async read(arenas: readonly Tensor[] = this.arenas): Promise<Map<string, Float32Array>> {
    const flat = await Promise.all(arenas.map((arena) => arena.floats()));
    return new Map(
      this.names.map((name, index) => {
        const { arena, offset } = at(this.places, index);
        const start = offset / ELEMENT_BYTES.f32;
        return [name, at(flat, arena).slice(start, start + sizeOf(at(this.shapes, index)))];
      }),
    );
  }

  /** Overwrites parameters (in `arenas` of this layout) with host values, whole arenas at once. */
  write(values: ReadonlyMap<string, Float32Array>, arenas: readonly Tensor[] = this.arenas): void {
    const flat = arenas.map(({ size }) => new Float32Array(size));
    this.names.forEach((name, index) => {
      const { arena, offset } = at(this.places, index);
      const value = values.get(name);
      if (!value) throw new RangeError(`no value for parameter ${name}`);
      at(flat, arena).set(value, offset / ELEMENT_BYTES.f32);
    });
    arenas.forEach((arena, index) => {
      this.engine.write(arena, at(flat, index));
    });
  }

  /** Shape of every parameter by name. */
  get shapeByName(): Map<string, Shape> {
    return new Map(this.names.map((name, index) => [name, at(this.shapes, index)]));
  }

  /** Gives the memory back. */
  dispose(): void {
    for (const tensor of [...this.tensors, ...this.arenas]) tensor.dispose();
  }
}
