/** Elementwise stages that follow a kernel's own work on a value, before it is stored. */
import type { PackWidth } from "./pack.wgsl.ts";

/**
 * How an operand lies beside the values: as large, repeated along leading axes, or one number;
 * `key` is a uniform vec4u, the seed and step of random draws.
 */
export type OperandKind = "full" | "repeat" | "scalar" | "key";

/** One stage: value k+1 = NAME_stage(operands …, words …, index of the Value if wanted). */
export interface EpilogueStage {
  readonly name: string;
  /** `fn NAME_stage(…: Value, …) -> Value` and what it calls; blocks within others are left out. */
  readonly blocks: readonly string[];
  /** "value" is what the stage before made; every other operand is a binding of its own. */
  readonly operands: readonly (OperandKind | "value")[];
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
  /** Number of the binding of `params`, which comes after those of the stages. */
  readonly paramsBinding: number;
}

/** WGSL that reads operand `name` at Value `at`. */
const read = (name: string, kind: OperandKind): string =>
  ({
    full: `${name}[at]`,
    repeat: `${name}[at % params.${name}_count]`,
    scalar: `Value(${name}[0])`,
    key: name,
  })[kind];

/** Collects the declarations and statements of an epilogue, stage after stage. */
class Writer {
  readonly declarations: string[] = [];
  readonly statements: string[] = [];
  readonly fields: string[] = [];
  binding: number;
  private output: string | null;

  constructor({ output, firstBinding }: EpilogueOptions) {
    this.output = output;
    this.binding = firstBinding;
  }

  private bind(space: string, name: string, type: string): void {
    this.declarations.push(`@group(0) @binding(${this.binding++}) var<${space}> ${name}: ${type};`);
  }

  private bindOperand(name: string, kind: OperandKind): void {
    if (kind === "key") this.bind("uniform", name, "vec4u");
    else this.bind("storage, read", name, kind === "scalar" ? "array<f32>" : "array<Value>");
    if (kind === "repeat") this.fields.push(`  ${name}_count: u32,`);
  }

  /** The kernel's own output takes the first value that is stored, a new binding each other. */
  store(index: number): void {
    const name = this.output ?? `stored${index}`;
    if (this.output === null) this.bind("storage, read_write", name, "array<Value>");
    this.output = null;
    this.statements.push(`  ${name}[at] = value${index};`);
  }

  /** Statement that makes value `index + 1`. */
  apply({ name, operands, words, isIndexed }: EpilogueStage, index: number): void {
    const values = operands.map((kind, position) => {
      if (kind === "value") return `value${index}`;
      const operand = `operand${index}_${position}`;
      this.bindOperand(operand, kind);
      return read(operand, kind);
    });
    const extra = words.map((type, position) => {
      const word = `word${index}_${position}`;
      this.fields.push(`  ${word}: ${type},`);
      return `params.${word}`;
    });
    const list = [...values, ...extra, ...(isIndexed ? ["at"] : [])].join(", ");
    this.statements.push(`  let value${index + 1} = ${name}_stage(${list});`);
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
 */
export function epilogue(options: EpilogueOptions): Epilogue {
  const { width, output, stages } = options;
  const writer = new Writer(options);
  stages.forEach((stage, index) => {
    if (stage.keepsValue) writer.store(index);
    writer.apply(stage, index);
  });
  writer.store(stages.length);
  const text = [
    `alias Value = ${width === 4 ? "vec4f" : "f32"};`,
    ...distinct(stages.flatMap(({ blocks }) => blocks)),
    ...writer.declarations,
    `fn finish(at: u32${output === null ? "" : ", value0: Value"}) {`,
    ...writer.statements,
    "}",
  ];
  return {
    text: text.join("\n"),
    fields: writer.fields.join("\n"),
    paramsBinding: writer.binding,
  };
}
