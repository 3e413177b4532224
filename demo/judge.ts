/** Joins a detector with the Vision Transformer that makes its features, to judge images. */
import { ParamSet } from "../src/engine/index.ts";
import type { Engine } from "../src/engine/index.ts";
import { isRecord } from "../src/io/json.ts";
import { Detector } from "../src/neco/index.ts";
import type { DetectorSpec, Judgement } from "../src/neco/index.ts";
import { FormatError } from "../src/util/errors.ts";
import { checkConfig, paramSpecs, Predictor } from "../src/vit/index.ts";
import type { ViTConfig } from "../src/vit/index.ts";

/** Judges images of one geometry. Lives until disposed, whatever scope it was made in. */
export interface Judge {
  readonly spec: DetectorSpec;
  /** u8 [H, W, C] per image, in the geometry of the detector's file. */
  judge(images: readonly Uint8Array[]): Promise<Judgement[]>;
  /** The detector as a file that `neco detect` reads too. */
  toBytes(): Promise<Uint8Array>;
  dispose(): void;
}

const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : []);

/**
 * A judge from a detector that carries its model, such as `neco ood --run` and the page save.
 * @throws FormatError if it carries none.
 */
export function createJudge(engine: Engine, spec: DetectorSpec): Judge {
  const { preprocessing: input, model, modelArrays } = spec;
  if (!isRecord(input) || !isRecord(model) || Object.keys(modelArrays).length === 0)
    throw new FormatError(
      "detector",
      "carries no model, so it cannot judge images; save one with neco ood --run",
    );
  const config = checkConfig(model as unknown as ViTConfig); // written beside these weights
  const values = new Map(Object.entries(modelArrays).map(([name, { values }]) => [name, values]));
  const transform = {
    height: Number(input["height"]),
    width: Number(input["width"]),
    channels: Number(input["channels"]),
    imageSize: config.imageSize,
    mean: numbers(input["mean"]),
    std: numbers(input["std"]),
    augmentation: null,
  };
  return engine.detached(() => {
    const params = new ParamSet(engine, paramSpecs(config, values));
    const predictor = new Predictor(engine, { config, weights: params, transform }, 1);
    const detector = new Detector(engine, spec);
    const run = (images: readonly Uint8Array[]): ReturnType<typeof predictor.predict> =>
      predictor.predict(joined(images));
    return {
      spec,
      judge: (images) => engine.scope(() => detector.detect({ run }, images)),
      toBytes: () => detector.toBytes(),
      dispose: () => {
        detector.dispose();
        predictor.dispose();
        for (const tensor of [...params.tensors, ...params.arenas, ...params.decayMask])
          tensor.dispose();
      },
    };
  });
}

function joined(images: readonly Uint8Array[]): Uint8Array {
  const size = images[0]?.length ?? 0;
  const all = new Uint8Array(images.length * size);
  images.forEach((image, index) => {
    all.set(image, index * size);
  });
  return all;
}
