/** Fetches and unpacks a Debian package as an ordinary user: nothing is installed. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../util/errors.ts";
import { runTool } from "./run-tool.ts";

const UPDATE_MS = 180_000;
const DOWNLOAD_MS = 600_000;

/**
 * Unpacks a package under a folder and returns the root of its files. Where the system's package
 * lists are missing, lists of our own are made first, which needs no root either.
 * @throws DataError if apt and dpkg-deb are absent, or the package cannot be had.
 */
export async function debianPackage(name: string, work: string): Promise<string> {
  const folder = join(work, "debian");
  const root = join(folder, "root");
  await mkdir(root, { recursive: true });
  const download = (options: readonly string[]): Promise<void> =>
    runTool("apt-get", [...options, "-q", "download", name], {
      cwd: folder,
      timeoutMs: DOWNLOAD_MS,
    });
  try {
    await download([]);
  } catch {
    const own = await ownLists(folder);
    await runTool("apt-get", [...own, "-q", "update"], { cwd: folder, timeoutMs: UPDATE_MS });
    await download(own);
  }
  const archive = (await readdir(folder)).find((file) => file.endsWith(".deb"));
  if (archive === undefined) throw new DataError(`apt-get brought no package ${name}`);
  await runTool("dpkg-deb", ["-x", archive, root], { cwd: folder, timeoutMs: UPDATE_MS });
  return root;
}

/** Options that make apt keep its lists in a folder of ours and its hands off the system's. */
async function ownLists(folder: string): Promise<string[]> {
  const state = join(folder, "state");
  const cache = join(folder, "cache");
  await mkdir(join(state, "lists", "partial"), { recursive: true });
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  const settings = {
    "Dir::State": state,
    "Dir::State::status": "/var/lib/dpkg/status",
    "Dir::Cache": cache,
    "APT::Sandbox::User": "", // there is no other user to become
  };
  return Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
}
