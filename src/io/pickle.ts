/** Recognises pickled files (pickle, torch.save), which are never read: loading one can run any code. */
import { FormatError } from "../util/errors.ts";

const PROTO = 0x80; // opcode that begins a pickle of protocol 2 and later
const BRACE = 0x7b; // where the header of a safetensors file begins
const HEAD_BYTES = 9;

/** Whether a path ends as pickled files do. */
export const isPickleName = (path: string): boolean => /\.(pkl|pickle|pth?)$/i.test(path);

/**
 * Whether a file's first bytes are a pickle's. A safetensors file whose header is 640 bytes long
 * begins with those of protocol 2, so its brace decides.
 */
export function isPickle(head: Uint8Array): boolean {
  const [first, protocol = 0] = head;
  if (first !== PROTO || protocol < 2 || protocol > 5) return false;
  const isSafetensors =
    head[HEAD_BYTES - 1] === BRACE && head.subarray(4, HEAD_BYTES - 1).every((byte) => byte === 0);
  return !isSafetensors;
}

/** Whether a zip archive's members are those of torch.save. */
export const isTorchArchive = (members: readonly string[]): boolean =>
  members.some((name) => /(^|\/)data\.pkl$/.test(name));

/**
 * The error for a pickled file, with the lines of Python that convert it.
 * @param isTorch - whether torch.save wrote it
 */
export function pickleError(file: string, isTorch = /\.pth?$/i.test(file)): FormatError {
  const stem = file.replace(/^.*[\\/]/, "").replace(/\.\w+$/, "");
  const target = file.endsWith(".npz") ? `${stem}-arrays.npz` : `${stem}.npz`;
  const lines = isTorch
    ? ["import numpy as np, torch", `saved = torch.load("${file}", map_location="cpu")`]
    : ["import numpy as np, pickle", `saved = pickle.load(open("${file}", "rb"))`];
  lines.push(`np.savez("${target}", features=saved["features"], labels=saved["labels"])`);
  return new FormatError(
    file,
    `is a pickled file, which is not read: loading one can run any code. If you trust it, convert it in Python (docs/features.md tells more, also of heads):\n  ${lines.join("\n  ")}`,
  );
}
