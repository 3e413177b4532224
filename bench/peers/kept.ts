/** Float64 references on disk: ViT-B's takes a minute, and is the same in every run. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { HostInput, Work } from "./works.ts";

const folder = fileURLToPath(new URL("../../.cache/bench-peers/", import.meta.url));

/** Changes with the work, with any input, and with the code that computes references. */
function fingerprint(work: Work, inputs: Readonly<Record<string, HostInput>>): string {
  const hash = createHash("sha256").update(JSON.stringify(work));
  for (const file of ["reference.ts", "graph.ts"])
    hash.update(readFileSync(new URL(file, import.meta.url)));
  for (const [name, { shape, values }] of Object.entries(inputs))
    hash.update(`${name} ${shape.join()}`).update(values);
  return hash.digest("hex").slice(0, 16);
}

/** The reference of a work, made once for the same inputs. */
export function keptReference(
  work: Work,
  inputs: Readonly<Record<string, HostInput>>,
  make: () => Float64Array,
): Float64Array {
  const path = `${folder}${work.name}-${fingerprint(work, inputs)}.f64`;
  if (existsSync(path)) return new Float64Array(new Uint8Array(readFileSync(path)).buffer);
  const values = make();
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.part`, values);
  renameSync(`${path}.part`, path); // a run that is cut short leaves no half of it
  return values;
}
