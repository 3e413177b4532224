/**
 * The CSV of the NECO reference code: an unnamed index column, `ct0` … `ct{D−1}`, `label` (written
 * as floats). Read by rows through an index of line starts, so that files of gigabytes pass.
 */
import { DataError, FormatError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { ByteRange, ByteSink } from "./range.ts";

/** A CSV of features. */
export interface CsvTable {
  readonly rows: number;
  readonly dim: number;
  readonly labels: Int32Array | null;
  features(start: number, count: number): Promise<Float32Array>;
}

const CHUNK_BYTES = 4 << 20; // read at a time
const INDEX_STEP = 64; // rows between remembered line starts
const NEWLINE = 10;

interface Columns {
  readonly total: number;
  /** Column of ct0, ct1, … */
  readonly features: readonly number[];
  /** Column of the label, or −1. */
  readonly label: number;
}

interface Line {
  readonly text: string;
  readonly start: number;
}

/**
 * Indexes a CSV: one pass over the file that reads line starts and labels.
 * @throws FormatError naming the line that breaks the layout.
 */
export async function openCsv(range: ByteRange, file: string): Promise<CsvTable> {
  const starts: number[] = [];
  const labels: number[] = [];
  let columns: Columns | null = null;
  let rows = 0;
  for await (const { text, start } of linesFrom(range, 0)) {
    if (columns === null) {
      columns = parseTitles(text, file);
      continue;
    }
    if (text === "") continue;
    if (rows % INDEX_STEP === 0) starts.push(start);
    const cells = text.split(",");
    if (cells.length !== columns.total)
      throw new FormatError(
        file,
        `line ${rows + 2} has ${cells.length} cells where ${columns.total} are due; it is cut short or not this layout`,
      );
    if (columns.label >= 0) labels.push(parseLabel(at(cells, columns.label), rows, file));
    rows++;
  }
  if (columns === null) throw new FormatError(file, "is empty");
  const { features, label } = columns;
  return {
    rows,
    dim: features.length,
    labels: label < 0 ? null : Int32Array.from(labels),
    features: (start, count) => readRows({ range, file, starts, rows, features }, start, count),
  };
}

/** Rows to export, in blocks. */
export interface CsvRows {
  readonly name: string;
  readonly rows: number;
  readonly dim: number;
  readonly labels: Int32Array | null;
  features(start: number, count: number): Promise<Float32Array>;
}

/** Writes rows in the reference's layout; a number is the shortest text of its f32 as f64. */
export async function writeCsv(sink: ByteSink, source: CsvRows): Promise<void> {
  const encoder = new TextEncoder();
  let at = 0;
  const put = async (text: string): Promise<void> => {
    const bytes = encoder.encode(text);
    await sink.write(at, bytes);
    at += bytes.length;
  };
  const titles = Array.from({ length: source.dim }, (_, column) => `ct${column}`);
  await put(`${["", ...titles, ...(source.labels ? ["label"] : [])].join(",")}\n`);
  const step = Math.max(1, Math.floor(CHUNK_BYTES / (16 * source.dim)));
  for (let start = 0; start < source.rows; start += step) {
    const count = Math.min(step, source.rows - start);
    const block = await source.features(start, count);
    const lines = Array.from({ length: count }, (_, row) => {
      const cells = block.subarray(row * source.dim, (row + 1) * source.dim).join(",");
      const label = source.labels ? `,${(source.labels[start + row] ?? 0).toFixed(1)}` : "";
      return `${start + row},${cells}${label}\n`;
    });
    await put(lines.join(""));
  }
  await sink.commit();
}

interface Place {
  readonly range: ByteRange;
  readonly file: string;
  readonly starts: readonly number[];
  readonly rows: number;
  readonly features: readonly number[];
}

async function readRows(place: Place, start: number, count: number): Promise<Float32Array> {
  const { range, file, starts, rows, features } = place;
  if (start < 0 || start + count > rows)
    throw new DataError(`${file}: has ${rows} rows, none at ${start}…${start + count - 1}`);
  const block = new Float32Array(count * features.length);
  if (count === 0) return block;
  let row = start - (start % INDEX_STEP);
  for await (const { text } of linesFrom(range, at(starts, row / INDEX_STEP))) {
    if (text === "") continue;
    if (row >= start) {
      const cells = text.split(",");
      features.forEach((column, position) => {
        const cell = at(cells, column);
        block[(row - start) * features.length + position] = parseCell(cell, row, file);
      });
    }
    if (++row === start + count) break;
  }
  return block;
}

function parseTitles(text: string, file: string): Columns {
  const titles = text.replace(/^\uFEFF/, "").split(",");
  const features: number[] = [];
  for (let column = titles.indexOf("ct0"); column >= 0;) {
    features.push(column);
    column = titles.indexOf(`ct${features.length}`);
  }
  if (features.length === 0)
    throw new FormatError(
      file,
      `its first line names no column ct0: it must be ",ct0,ct1,…,label"; save features as .npz instead`,
    );
  return { total: titles.length, features, label: titles.indexOf("label") };
}

/** How pandas spells what is no finite number. */
const SPELLED: Readonly<Record<string, number>> = {
  "": Number.NaN,
  nan: Number.NaN,
  inf: Infinity,
  "-inf": -Infinity,
};

function parseCell(cell: string, row: number, file: string): number {
  const text = cell.trim().toLowerCase();
  const spelled = SPELLED[text];
  const value = spelled ?? Number(text);
  if (Number.isNaN(value) && spelled === undefined)
    throw new FormatError(file, `line ${row + 2} holds "${text.slice(0, 20)}", not a number`);
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    throw new FormatError(
      file,
      `line ${row + 2} holds ${value}, beyond 3.4e38, the largest f32; drop that row or scale the values down`,
    );
  return value;
}

function parseLabel(cell: string, row: number, file: string): number {
  const value = Number(cell);
  if (cell.trim() === "" || value !== (value | 0))
    throw new FormatError(file, `line ${row + 2} has label "${cell}", not a whole number`);
  return value;
}

/** Lines from a byte on, without their ends. */
async function* linesFrom(range: ByteRange, start: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = new Uint8Array();
  let restStart = start;
  for (let at = start; at < range.size || rest.length > 0;) {
    const length = Math.min(CHUNK_BYTES, range.size - at);
    const chunk = await range.read(at, length);
    const isLast = at + length >= range.size;
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    at += length;
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const text = decoder.decode(bytes.subarray(from, end)).replace(/\r$/, "");
      yield { text, start: restStart + from };
      from = end + 1;
    }
    rest = bytes.slice(from);
    restStart += from;
    if (isLast) {
      if (rest.length > 0)
        yield { text: decoder.decode(rest).replace(/\r$/, ""), start: restStart };
      return;
    }
  }
}
