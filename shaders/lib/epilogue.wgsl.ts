/** Elementwise stages that follow a kernel's own work on a value, before it is stored. */
import { halfAlias } from "./half.wgsl.ts";
import type { PackWidth } from "./pack.wgsl.ts";

/**
 * How an operand lies beside the values: as large, repeated along leading axes, or one number;
 * `key` is a uniform vec4u, the seed and step of random draws.
 */
export type OperandKind = "full" | "repeat" | "scalar" | "key";

/** Where a stage's operand comes from: "value" is what the stage before made. */
export interface EpilogueOperand {
  readonly kind: OperandKind | "value";
  /** Stored as f16; of a binding. */
  readonly isHalf: boolean;
}

/** One stage: value k+1 = NAME_stage(operands …, words …, index of the Value if wanted). */
export interface EpilogueStage {
  readonly name: string;
  /** `fn NAME_stage(…: Value, …) -> Value` and what it calls; blocks within others are left out. */
  readonly blocks: readonly string[];
  /** Each is a binding of its own, unless it is the value. */
  readonly operands: readonly EpilogueOperand[];
  /** The result is stored as f16. */
  readonly isHalf: boolean;
  /** Types of the words that the function takes after its operands. */
  readonly words: readonly ("u32" | "f32" | "i32")[];
  /** The function takes the index of its Value last. */
  readonly isIndexed: boolean;
  /** What the stage before made is stored too: others read it. */
  readonly keepsValue: boolean;
}

/** Options of {@link epilogue}. */
export interface EpilogueOptions {
  readonly width: PackWidth;
  /** The kernel's own output, which takes the first value that is stored; null: it has none. */
  readonly output: string | null;
  /** Number of the first binding that the stages add. */
  readonly firstBinding: number;
  readonly stages: readonly EpilogueStage[];
}

/** The stages as text for a kernel: it calls `finish(at, value0)` once for each Value. */
export interface Epilogue {
  /** `fn finish` with the bindings and functions that it needs. */
  readonly text: string;
  /** Fields that it adds at the end of the kernel's `Params`. */
  readonly fields: string;
  /** What the array of the kernel's own output holds: Values, or f16 instead. */
  readonly output: "Value" | "Half";
  /** It names f16. */
  readonly isHalf: boolean;
  /** Number of the binding of `params`, which comes after those of the stages. */
  readonly paramsBinding: number;
}

/** WGSL that reads operand `name` at Value `at`. */
const read = (name: string, kind: OperandKind, isHalf: boolean): string => {
  const stored = {
    full: `${name}[at]`,
    repeat: `${name}[at % params.${name}_count]`,
    scalar: `Value(${name}[0])`,
    key: name,
  }[kind];
  return isHalf ? `Value(${stored})` : stored;
};

/** Collects the declarations and statements of an epilogue, stage after stage. */
class Writer {
  readonly declarations: string[] = [];
  readonly statements: string[] = [];
  readonly fields: string[] = [];
  binding: number;
  outputType: Epilogue["output"] = "Value";
  private output: string | null;

  constructor({ output, firstBinding }: EpilogueOptions) {
    this.output = output;
    this.binding = firstBinding;
  }

  private bind(space: string, name: string, type: string): void {
    this.declarations.push(`@group(0) @binding(${this.binding++}) var<${space}> ${name}: ${type};`);
  }

  private bindOperand(name: string, kind: OperandKind, isHalf: boolean): void {
    const element = isHalf ? "Half" : kind === "scalar" ? "f32" : "Value";
    if (kind === "key") this.bind("uniform", name, "vec4u");
    else this.bind("storage, read", name, `array<${element}>`);
    if (kind === "repeat") this.fields.push(`  ${name}_count: u32,`);
  }

  /** The kernel's own output takes the first value that is stored, a new binding each other. */
  store(index: number, isHalf: boolean): void {
    const name = this.output ?? `stored${index}`;
    const type = isHalf ? "Half" : "Value";
    if (this.output === null) this.bind("storage, read_write", name, `array<${type}>`);
    else this.outputType = type;
    this.output = null;
    this.statements.push(`  ${name}[at] = ${isHalf ? `Half(value${index})` : `value${index}`};`);
  }

  /** Statement that makes value `index + 1`. */
  apply({ name, operands, words, isIndexed, isHalf }: EpilogueStage, index: number): void {
    const values = operands.map(({ kind, isHalf: isStoredHalf }, position) => {
      if (kind === "value") return `value${index}`;
      const operand = `operand${index}_${position}`;
      this.bindOperand(operand, kind, isStoredHalf);
      return read(operand, kind, isStoredHalf);
    });
    const extra = words.map((type, position) => {
      const word = `word${index}_${position}`;
      this.fields.push(`  ${word}: ${type},`);
      return `params.${word}`;
    });
    const list = [...values, ...extra, ...(isIndexed ? ["at"] : [])].join(", ");
    const result = `${name}_stage(${list})`;
    this.statements.push(
      `  let value${index + 1} = ${isHalf ? `Value(Half(${result}))` : result};`,
    );
  }
}

/** Each block once; one that is part of another (erf within normal) is there already. */
const distinct = (blocks: readonly string[]): string[] =>
  [...new Set(blocks)].filter(
    (block, index, all) => !all.some((other, k) => k !== index && other.includes(block)),
  );

/**
 * `finish(at, value0)`: runs the stages on a Value (f32 or vec4f) and stores what is wanted of
 * them. Without an output of the kernel's own there is no value0: the first stage reads operands.
 * A value that is stored as f16 goes on rounded, where the driver does not keep the wider one.
 */
export function epilogue(options: EpilogueOptions): Epilogue {
  const { width, output, stages } = options;
  const writer = new Writer(options);
  stages.forEach((stage, index) => {
    if (stage.keepsValue) writer.store(index, stages[index - 1]?.isHalf ?? false);
    writer.apply(stage, index);
  });
  writer.store(stages.length, stages.at(-1)?.isHalf ?? false);
  const isHalf = stages.some((stage) => stage.isHalf || stage.operands.some((o) => o.isHalf));
  const text = [
    `alias Value = ${width === 4 ? "vec4f" : "f32"};`,
    ...(isHalf ? [halfAlias(width)] : []),
    ...distinct(stages.flatMap(({ blocks }) => blocks)),
    ...writer.declarations,
    `fn finish(at: u32${output === null ? "" : ", value0: Value"}) {`,
    ...writer.statements,
    "}",
  ];
  return {
    text: text.join("\n"),
    fields: writer.fields.join("\n"),
    output: writer.outputType,
    isHalf,
    paramsBinding: writer.binding,
  };
}
