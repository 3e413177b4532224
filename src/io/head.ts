/** Finds a classifier's last layer in a file, under the names that people use. */
import { FormatError } from "../util/errors.ts";
import { at } from "../util/shape.ts";
import type { Head } from "./features.ts";
import { openArrays } from "./open.ts";
import { loadFloats, type ArrayStore, type StoredArray } from "./store.ts";

/** Accepted names of W [C, D] and b [C], the first that is there wins. */
export const HEAD_NAMES = [
  ["W", "b"],
  ["head.weight", "head.bias"],
  ["fc.weight", "fc.bias"],
  ["classifier.weight", "classifier.bias"],
  ["weight", "bias"],
] as const;

/**
 * Reads the head of a .npz or .safetensors file; an absent bias is none.
 * @throws DataError if the file cannot be read.
 * @throws FormatError if it holds no head, or weight and bias do not fit together.
 */
export async function openHead(path: string): Promise<Head> {
  const store = await openArrays(path);
  try {
    const head = await findHead(store);
    if (head !== null) return head;
    throw new FormatError(
      path,
      `holds no head: it has ${store.names.slice(0, 8).join(", ")}. Save it with numpy.savez(file, W=…, b=…), W [classes, features]`,
    );
  } finally {
    await store.close();
  }
}

/**
 * The head among the arrays of an open file, or null.
 * @throws FormatError if weight and bias do not fit together.
 */
export async function findHead(store: ArrayStore): Promise<Head | null> {
  for (const [weightName, biasName] of HEAD_NAMES) {
    const weight = await store.find(weightName);
    if (weight !== null) return readHead(weight, await store.find(biasName));
  }
  return null;
}

/**
 * Passes if the head takes features of that width and is finite.
 * @throws FormatError naming both sizes, or the first value that is NaN or infinite.
 */
export function checkHead(head: Head, dim: number, file: string): void {
  if (head.dim === dim) {
    assertFinite(head, file);
    return;
  }
  const advice = head.classes === dim ? "; it is transposed: save W.T" : "";
  throw new FormatError(
    file,
    `the head [${head.classes}, ${head.dim}] does not take features of ${dim} columns${advice}`,
  );
}

function assertFinite({ weight, bias, dim }: Head, file: string): void {
  const inWeight = weight.findIndex((value) => !Number.isFinite(value));
  const inBias = bias?.findIndex((value) => !Number.isFinite(value)) ?? -1;
  if (inWeight < 0 && inBias < 0) return;
  const [place, value] =
    inWeight >= 0
      ? [`W[${Math.floor(inWeight / dim)}, ${inWeight % dim}]`, weight[inWeight]]
      : [`b[${inBias}]`, bias?.[inBias]];
  throw new FormatError(
    file,
    `the head's ${place} is ${value}: no method can use it; export the head again`,
  );
}

async function readHead(weight: StoredArray, bias: StoredArray | null): Promise<Head> {
  const { file, name, shape } = weight;
  if (shape.length !== 2 || shape.includes(0))
    throw new FormatError(
      file,
      `"${name}" must be a matrix [classes, features]; it is [${shape.join(", ")}]`,
    );
  const classes = at(shape, 0);
  if (bias !== null && (bias.shape.length !== 1 || bias.shape[0] !== classes))
    throw new FormatError(
      file,
      `"${bias.name}" [${bias.shape.join(", ")}] does not fit "${name}" [${shape.join(", ")}]: one entry per class`,
    );
  return {
    weight: await loadFloats(weight),
    bias: bias === null ? null : await loadFloats(bias),
    classes,
    dim: at(shape, 1),
  };
}
