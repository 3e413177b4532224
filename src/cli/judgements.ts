/** Where the judgements of `neco detect` go: files written as they come, and the table's first rows. */
import { once } from "node:events";
import { openWriter } from "#platform";
import type { DetectorSpec, Judgement } from "../neco/index.ts";
import { figure, percent, quoteCsv, textTable } from "../report/index.ts";
import { note, print } from "./console.ts";

/** A judgement with the input it is about. */
export interface NamedJudgement extends Judgement {
  readonly input: string;
}

/** What is written beside the table. */
export interface JudgementOutputs {
  /** JSON, or a judgement a line where the name ends in .jsonl; - is standard output. */
  readonly json?: string;
  readonly csv?: string;
}

const TABLE_ROWS = 1000; // more are for programs to read, and would have to be kept

/** Text that is written piece by piece. */
interface TextOut {
  write(text: string): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

/** How judgements are laid out in a file. */
interface Layout {
  readonly head: string;
  readonly line: (judgement: NamedJudgement) => string;
  readonly between: string;
  readonly tail: string;
}

const plain = (judgement: NamedJudgement): string =>
  JSON.stringify({ ...judgement, probs: Array.from(judgement.probs) });

function jsonLayout({ method, threshold }: DetectorSpec): Layout {
  const start = JSON.stringify({ schema: "neco-webgpu/detect@1", method, threshold }, null, 2);
  return {
    head: `${start.slice(0, -2)},\n  "judgements": [\n    `,
    line: plain,
    between: ",\n    ",
    tail: "\n  ]\n}\n",
  };
}

const jsonLines: Layout = { head: "", line: plain, between: "\n", tail: "\n" };

const CSV_COLUMNS = "input,out_of_distribution,label,label_index,probability,score,threshold";

const csvLayout: Layout = {
  head: `${CSV_COLUMNS}\n`,
  line: ({ input, isOod, label, labelIndex, probs, score, threshold }) =>
    [
      quoteCsv(input),
      isOod ? 1 : 0,
      quoteCsv(label ?? ""),
      labelIndex ?? "",
      labelIndex === null ? "" : (probs[labelIndex] ?? ""),
      score,
      threshold,
    ].join(","),
  between: "\n",
  tail: "\n",
};

const standardOutput: TextOut = {
  async write(text) {
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  },
  finish: () => Promise.resolve(),
  abort: () => Promise.resolve(),
};

async function openText(path: string): Promise<TextOut> {
  if (path === "-") return standardOutput;
  const file = await openWriter(path);
  const encoder = new TextEncoder();
  let offset = 0;
  return {
    async write(text) {
      const bytes = encoder.encode(text);
      await file.write(offset, bytes);
      offset += bytes.length;
    },
    finish: () => file.commit(),
    abort: () => file.abort(),
  };
}

/** A file under way. */
interface Written {
  readonly layout: Layout;
  readonly out: TextOut;
}

/** Judgements as a table. */
function judgementTable(judgements: readonly NamedJudgement[]): string {
  const rows = judgements.map(({ input, label, labelIndex, probs, score, isOod }) => [
    input,
    isOod ? "out of distribution" : "in distribution",
    label ?? "–",
    labelIndex === null ? "–" : percent(probs[labelIndex]),
    figure(score),
  ]);
  return textTable(["input", "judgement", "label", "probability %", "score"], rows);
}

/** Takes judgements in order; of any number of them it keeps only what the table shows. */
export class Judgements {
  private readonly files: readonly Written[];
  private readonly hasTable: boolean;
  private readonly shown: NamedJudgement[] = [];
  private outside = 0;
  /** Judgements so far. */
  count = 0;

  private constructor(files: readonly Written[], hasTable: boolean) {
    this.files = files;
    this.hasTable = hasTable;
  }

  /**
   * Starts the files that are wanted.
   * @throws DataError if one cannot be written.
   */
  static async open(spec: DetectorSpec, { json, csv }: JudgementOutputs): Promise<Judgements> {
    const files: Written[] = [];
    if (json !== undefined) {
      const layout = /\.(jsonl|ndjson)$/i.test(json) ? jsonLines : jsonLayout(spec);
      files.push({ layout, out: await openText(json) });
    }
    if (csv !== undefined) files.push({ layout: csvLayout, out: await openText(csv) });
    for (const { layout, out } of files) await out.write(layout.head);
    return new Judgements(files, json !== "-" && csv !== "-");
  }

  /** Adds the next ones. */
  async add(judgements: readonly NamedJudgement[]): Promise<void> {
    if (judgements.length === 0) return;
    for (const { layout, out } of this.files) {
      const lines = judgements.map(layout.line).join(layout.between);
      await out.write(this.count === 0 ? lines : layout.between + lines);
    }
    this.count += judgements.length;
    for (const judgement of judgements) if (judgement.isOod) this.outside++;
    if (this.hasTable) this.shown.push(...judgements.slice(0, TABLE_ROWS - this.shown.length));
  }

  /** Ends the files and prints the table. */
  async finish(): Promise<void> {
    for (const { layout, out } of this.files) {
      await out.write(layout.tail);
      await out.finish();
    }
    if (this.hasTable) print(judgementTable(this.shown));
    if (this.hasTable && this.count > this.shown.length)
      note(
        `the first ${this.shown.length} of ${this.count} are shown: --csv FILE or --json FILE writes all`,
      );
    note(
      `${this.outside} of ${this.count} out of distribution (${percent(this.outside / this.count)} %)`,
    );
  }

  /** Leaves no file behind. */
  async abort(): Promise<void> {
    for (const { out } of this.files) await out.abort();
  }
}
