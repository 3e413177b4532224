/** Fetches npm packages as archives through the user's npm, checked against known hashes. */
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../util/errors.ts";
import { runTool } from "./run-tool.ts";

const TIMEOUT_MS = 180_000;

/**
 * The archives (.tgz) of packages given as `name@version` with their SHA-512 in base64; nothing of
 * them is run, and what they depend on is not fetched.
 * @throws DataError if npm fails or a package is not the expected one.
 */
export async function npmPackages(
  packages: Readonly<Record<string, string>>,
  work: string,
): Promise<Map<string, Uint8Array>> {
  const folder = join(work, "packages");
  await mkdir(folder, { recursive: true });
  const own = process.env["npm_execpath"]; // set when npm runs us: the same npm
  const isNpm = own !== undefined && /npm.*\.c?js$/.test(own);
  const command = isNpm ? process.execPath : "npm";
  const flags = ["--silent", "--ignore-scripts", "--pack-destination", folder];
  const words = [...(isNpm ? [own] : []), "pack", ...Object.keys(packages), ...flags];
  await runTool(command, words, { cwd: folder, timeoutMs: TIMEOUT_MS });
  const names = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  const byHash = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await readFile(join(folder, name));
    byHash.set(createHash("sha512").update(bytes).digest("base64"), bytes);
  }
  return new Map(
    Object.entries(packages).map(([name, hash]) => {
      const bytes = byHash.get(hash);
      if (bytes === undefined)
        throw new DataError(`npm gave no ${name} with the expected SHA-512; try again later`);
      return [name, bytes];
    }),
  );
}
