/** Bind groups of eager passes, kept by what they bind: loops bind the same buffers again and again. */

/** A part of a buffer. */
export interface BoundRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Bind groups kept; a training step takes a few hundred. */
const MOST_KEPT = 4096;

/**
 * Makes each bind group once. Making one costs the host as much as all else of an eager pass. Buffers
 * that were destroyed are no danger: another buffer never has their number.
 */
export class BindGroupCache {
  private readonly device: GPUDevice;
  private readonly groups = new Map<string, GPUBindGroup>();
  private readonly numbers = new WeakMap<object, number>();
  private numbered = 0;

  /** Empty. */
  constructor(device: GPUDevice) {
    this.device = device;
  }

  private numberOf(thing: object): number {
    const known = this.numbers.get(thing);
    if (known !== undefined) return known;
    this.numbers.set(thing, ++this.numbered);
    return this.numbered;
  }

  /** The bind group of these ranges, in the order of their bindings. */
  get(label: string, layout: GPUBindGroupLayout, ranges: readonly BoundRange[]): GPUBindGroup {
    let key = String(this.numberOf(layout));
    for (const { buffer, offset, size } of ranges)
      key += `|${this.numberOf(buffer)}+${offset}:${size}`;
    const known = this.groups.get(key);
    if (known) return known;
    const entries = ranges.map((resource, binding) => ({ binding, resource }));
    const made = this.device.createBindGroup({ label, layout, entries });
    if (this.groups.size === MOST_KEPT) this.groups.clear();
    this.groups.set(key, made);
    return made;
  }
}
