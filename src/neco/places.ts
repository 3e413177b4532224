/** Where samples come in a grid of radii around reference samples: what CFOOD ranks by. */
import { at } from "../util/shape.ts";
import { distanceError, firstWhere, squaredDistances } from "./sphere.ts";
import type { Rays } from "./sphere.ts";

/** The smallest number of reference samples that is at least the share `k` of them. */
function enough(k: number, count: number): number {
  let needed = Math.max(0, Math.floor(k * count) - 1);
  while (needed / count < k) needed++;
  return needed;
}

/** The radii [n, S] by step: [S, n]. A step is looked at for all reference samples at once. */
function byStep(radii: Float64Array, count: number): Float64Array {
  const steps = radii.length / count;
  const turned = new Float64Array(radii.length);
  for (let index = 0; index < count; index++)
    for (let step = 0; step < steps; step++)
      turned[step * count + index] = radii[index * steps + step] ?? 0;
  return turned;
}

/** Steps of radii that grow around each reference sample. */
export class Places {
  private readonly bank: Rays;
  private readonly radii: Float64Array; // [S, n]
  private readonly count: number; // n
  private readonly steps: number; // S
  private readonly needed: number;

  /**
   * @param radii - ascending for each reference sample: [n, S].
   * @param k - the share of the reference samples that must take a sample in.
   */
  constructor(bank: Rays, radii: Float64Array, k: number) {
    this.bank = bank;
    this.count = bank.squares.length;
    this.steps = radii.length / this.count;
    this.radii = byStep(radii, this.count);
    this.needed = enough(k, this.count);
  }

  /** Whether enough reference samples take in, at a step, what lies at these distances. */
  private reaches(step: number, squares: Float64Array, shift: number): boolean {
    const { radii, count } = this;
    const start = step * count;
    let takers = 0;
    for (let index = 0; index < count; index++)
      if ((squares[index] ?? 0) + shift <= (radii[start + index] ?? 0)) takers++;
    return takers >= this.needed;
  }

  /**
   * The first step that enough reference samples reach; S if there is none. Distances that leave it
   * open are computed in float64.
   * @param near - to the reference samples, each within the error of an f32 product: [n].
   */
  of(rows: Rays, row: number, near: Float64Array): number {
    const error = distanceError(this.bank.dim);
    const first = firstWhere([0, this.steps], (step) => this.reaches(step, near, -error));
    if (first === this.steps || this.reaches(first, near, error)) return first;
    const last = firstWhere([first + 1, this.steps], (step) => this.reaches(step, near, error));
    const exact = near.slice();
    const open = this.openBetween(first, last, near);
    for (const [index, square] of squaredDistances(rows, row, this.bank, open).entries())
      exact[at(open, index)] = square;
    return firstWhere([first, last], (step) => this.reaches(step, exact, 0));
  }

  /** Reference samples with a radius from step `first` to `last` within the error of a distance. */
  private openBetween(first: number, last: number, near: Float64Array): number[] {
    const { radii, count, bank } = this;
    const error = distanceError(bank.dim);
    const open: number[] = [];
    for (let index = 0; index < count; index++) {
      const square = near[index] ?? 0;
      for (let step = first; step < last; step++)
        if (Math.abs(square - (radii[step * count + index] ?? 0)) <= error) {
          open.push(index);
          break;
        }
    }
    return open;
  }
}
