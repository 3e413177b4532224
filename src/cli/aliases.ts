/** The reference's option spellings (snake_case, four Python scripts) turned into ours. */
import { UsageError } from "../util/errors.ts";

/** What became of an option of the reference. */
export type Fate =
  | { readonly to: string }
  /** A Python boolean: present with True, absent with False. */
  | { readonly flag: string }
  | { readonly dropped: string };

const to = (option: string): Fate => ({ to: option });
const flag = (option: string): Fate => ({ flag: option });
const dropped = (reason: string): Fate => ({ dropped: reason });

const PATHS = "data sets are found by name, folder or file in --dataset and --ood";
const RUN = "a run folder (--out, --run) holds checkpoints, features and results under fixed names";
const WIDTH = "the width is read from the weights or the features";
const NAMES = dropped("the run folder's name is the run's name: use --out or --run");

const SHARED: Readonly<Record<string, Fate>> = {
  base_path: dropped(RUN),
  save_path: dropped(RUN),
  data_path: dropped(PATHS),
  cls_size: dropped(WIDTH),
  model_name: NAMES,
  img_size: to("img-size"),
  model_type: to("model"),
};

const EXTRACT: Readonly<Record<string, Fate>> = {
  ...SHARED,
  model_architecture_type: dropped("the architecture is read from the run or from --model"),
  in_dataset: to("dataset"),
  out_dataset: to("dataset"),
  save_preds: dropped("features, logits and labels are always written together"),
  swin: dropped("this version holds Vision Transformers; bring Swin features as a file"),
  train_batch_size: to("batch-size"),
  eval_batch_size: to("batch-size"),
};

/** By command, what each option of the reference's script for it has become. */
export const REFERENCE_OPTIONS: Readonly<Record<string, Readonly<Record<string, Fate>>>> = {
  train: {
    ...SHARED,
    name: NAMES,
    dataset: to("dataset"),
    pretrained_dir: to("pretrained"),
    checkpoint_dir: dropped(RUN),
    output_dir: to("out"),
    train_batch_size: to("batch-size"),
    eval_batch_size: dropped("evaluation takes the training batch size: it changes no figure"),
    eval_every: to("eval-every"),
    learning_rate: to("learning-rate"),
    weight_decay: to("weight-decay"),
    num_steps: to("num-steps"),
    decay_type: to("decay-type"),
    warmup_steps: to("warmup-steps"),
    max_grad_norm: to("max-grad-norm"),
    local_rank: dropped("one adapter per run; there is no distributed training"),
    seed: to("seed"),
    start_step: dropped("--resume goes on from the newest checkpoint of the run"),
    gradient_accumulation_steps: to("accumulate"),
    fp16: flag("fp16"),
    fp16_opt_level: dropped("it is an option of NVIDIA apex"),
    loss_scale: dropped("with --fp16 the loss is scaled by itself"),
    resume_dir: to("resume"),
    SHUFFLE: dropped("the training set is always shuffled, by the seed"),
    test_NC: flag("track-nc"),
    from_scratch: flag("from-scratch"),
  },
  extract: EXTRACT,
  ood: {
    ...SHARED,
    img_size: dropped("the size is read from the run"),
    model_type: dropped("the model is read from the run"),
    in_dataset: dropped(
      "the ID data set is read from the run; for feature files use --id-train and --id-test",
    ),
    out_dataset: to("ood"),
    model_architecture_type: dropped(
      "say what it decided: --neco-max-logit (on, off) and --neco-denominator (standardised, raw)",
    ),
    neco_dim: to("neco-dim"),
    clip_quantile: dropped(
      "the reference reads it nowhere; ReAct's quantile stands in docs/methods.md",
    ),
    n_components_null_space: dropped("the reference reads it nowhere"),
  },
  nc: {
    ...SHARED,
    img_size: dropped("the size is read from the run"),
    model_type: dropped("the model is read from the run"),
    in_dataset: dropped("the ID data set is read from the run"),
    out_dataset: to("ood"),
    use_ood: dropped("OOD metrics appear when --ood is given"),
    add_noise: dropped("give noise as an OOD set: --ood noise"),
    noise_value: dropped("give noise as an OOD set: --ood noise"),
    add_noise_ID: dropped("make noisy copies as a data set of their own and give it to --ood"),
    per_class_noise: dropped("make noisy copies as a data set of their own and give it to --ood"),
    loss_name: to("loss"),
  },
};

const TRUE = new Set(["True", "true", "1"]);
const FALSE = new Set(["False", "false", "0"]);

function replaceFlag(
  option: string,
  inline: string | undefined,
  next: string | undefined,
): { words: string[]; used: number } {
  const value = inline ?? next;
  if (value !== undefined && FALSE.has(value))
    return { words: [], used: inline === undefined ? 1 : 0 };
  const used = inline === undefined && next !== undefined && TRUE.has(next) ? 1 : 0;
  return { words: [`--${option}`], used };
}

/**
 * The command line with the reference's spellings replaced; others pass as they are, with - for _.
 * @throws UsageError if an option has no counterpart; the message says why.
 */
export function withoutAliases(words: readonly string[]): string[] {
  const table = REFERENCE_OPTIONS[words.find((word) => word in REFERENCE_OPTIONS) ?? ""] ?? {};
  const result: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const match = /^--([A-Za-z][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(word);
    const [, name = "", inline] = match ?? [];
    const fate = table[name];
    if (match === null) result.push(word);
    else if (fate === undefined || ("to" in fate && fate.to === name))
      result.push(word.replace(name, name.replaceAll("_", "-")));
    else if ("dropped" in fate)
      throw new UsageError(`--${name} of the reference is not needed here: ${fate.dropped}`);
    else if ("to" in fate)
      result.push(inline === undefined ? `--${fate.to}` : `--${fate.to}=${inline}`);
    else {
      const { words: replaced, used } = replaceFlag(fate.flag, inline, words[index + 1]);
      result.push(...replaced);
      index += used;
    }
  }
  return result;
}
