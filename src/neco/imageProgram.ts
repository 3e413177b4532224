/** A score's program over batches of images: captured once per batch size, replayed from then on. */
import { program } from "../engine/index.ts";
import type { Engine, Program, Tensor } from "../engine/index.ts";
import type { Block } from "./block.ts";
import type { ImageModel } from "./imageModel.ts";

/** Tensors [B, …] by name. */
type Outputs<K extends string> = Readonly<Record<K, Tensor>>;

/** Runs a function of images over the blocks of a source. */
export class ImageProgram<K extends string> {
  private readonly engine: Engine;
  private readonly model: ImageModel;
  private readonly body: (x: Tensor) => Outputs<K>;
  private readonly programs = new Map<number, Program<"pixels", Outputs<K>>>();

  /** @param body - recorded, so it may not read; x is [B, S, S, channels]. */
  constructor(engine: Engine, model: ImageModel, body: (x: Tensor) => Outputs<K>) {
    this.engine = engine;
    this.model = model;
    this.body = body;
  }

  /** The outputs for a block's images; the next run overwrites them. */
  async run(block: Block): Promise<Outputs<K>> {
    const { batch, imageBytes } = this.model;
    // Padded to a power of two: few captures, and one image does not cost a whole batch.
    const count = Math.min(batch, 2 ** Math.ceil(Math.log2(block.rows)));
    if (block.rows > count) throw new RangeError(`${block.rows} images in a batch of ${batch}`);
    const pixels = new Uint32Array(Math.ceil((count * imageBytes) / 4));
    new Uint8Array(pixels.buffer).set(await block.pixels());
    const outputs = await this.programOf(count).run({ pixels });
    const rows = Object.entries<Tensor>(outputs).map(([name, tensor]) => [
      name,
      count === block.rows
        ? tensor
        : this.engine.ops.slice(tensor, { axis: 0, start: 0, end: block.rows }),
    ]);
    return Object.fromEntries(rows) as Outputs<K>; // the names that the body gave
  }

  private programOf(count: number): Program<"pixels", Outputs<K>> {
    const known = this.programs.get(count);
    if (known) return known;
    const made = program(this.engine, ({ pixels }: { readonly pixels: Tensor }) =>
      this.body(this.model.input(pixels, count)),
    );
    this.programs.set(count, made);
    return made;
  }

  /** Gives the captures' memory back. */
  dispose(): void {
    for (const made of this.programs.values()) made.dispose();
  }
}
