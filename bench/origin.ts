/** What a run's figures belong to besides the adapter: the commit, and the host's processor. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

/** The processors of a host. */
export interface Processor {
  readonly model: string;
  readonly count: number;
}

/** Where figures come from; a software adapter's description names no processor. */
export interface Origin {
  /** Short hash, with {@link CHANGED} where tracked files differ from it; absent outside a checkout. */
  readonly commit?: string;
  /** Absent where the system does not tell. Both are absent in older files. */
  readonly cpu?: Processor;
}

/** After the hash of a commit that is not what was measured. */
export const CHANGED = "+changes";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

function git(folder: string, ...words: readonly string[]): string | null {
  const { status, stdout } = spawnSync("git", ["-C", folder, ...words], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** The commit that a folder is a checkout of; null for one that only lies inside some checkout. */
export function commitOf(folder: string): string | null {
  if (git(folder, "rev-parse", "--show-cdup") !== "") return null;
  // No tag may stand in for the hash.
  return git(folder, "describe", "--always", "--exclude=*", `--dirty=${CHANGED}`);
}

const CPUINFO = "/proc/cpuinfo";

/**
 * "AMD EPYC (family 25, model 17)": virtual machines give many generations one name, and Linux tells
 * them apart.
 */
export function processorName(name: string, cpuinfo: string): string {
  const [family, model] = ["cpu family", "model"].map(
    (field) => new RegExp(`^${field}\\s*:\\s*(\\d+)$`, "m").exec(cpuinfo)?.[1],
  );
  return family !== undefined && model !== undefined
    ? `${name.trim()} (family ${family}, model ${model})`
    : name.trim();
}

/** Of this code on this host. */
export function originNow(): Origin {
  const commit = commitOf(ROOT);
  const processors = cpus();
  const [first] = processors;
  const cpuinfo = existsSync(CPUINFO) ? readFileSync(CPUINFO, "utf8") : "";
  return {
    ...(commit === null ? {} : { commit }),
    ...(first
      ? { cpu: { model: processorName(first.model, cpuinfo), count: processors.length } }
      : {}),
  };
}

const UNKNOWN = "not known";

/** "2 × AMD EPYC (family 25, model 17)". */
export const cpuText = ({ cpu }: Origin): string => (cpu ? `${cpu.count} × ${cpu.model}` : UNKNOWN);

/** "9f78d74+changes". */
export const commitText = ({ commit }: Origin): string => commit ?? UNKNOWN;

/** Both in a line. */
export const originLine = (origin: Origin): string =>
  `CPU: ${cpuText(origin)}; commit: ${commitText(origin)}`;
