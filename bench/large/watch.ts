/** Runs `neco` as users do, and watches how long it takes and how much memory it ever holds. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ChildFailure, EXIT } from "../../src/cli/exit.ts";

/** What a run of the command line took. */
export interface Watched {
  readonly seconds: number;
  /** The most resident memory (VmHWM), software adapters' buffers included; null off Linux. */
  readonly peakBytes: number | null;
  /** Seconds of all cores together, which other work on the machine changes little; null off Linux. */
  readonly cpuSeconds: number | null;
}

const INTERVAL = 200; // ms between looks; the kernel keeps the peak, so only the last ms can be missed

const TICKS = 100; // of /proc/PID/stat in a second, on every Linux that Node runs on
const USER_TIME = 11; // fields after the name, which may hold spaces
const SYSTEM_TIME = 12;

/** What Linux tells of a process. */
type Look = Pick<Watched, "peakBytes" | "cpuSeconds">;

function lookAt(pid: number): Look | null {
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    if (!peak) return null; // ended, but not yet asked after
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return {
      peakBytes: Number(peak[1]) * 1024,
      cpuSeconds: (Number(stat[USER_TIME]) + Number(stat[SYSTEM_TIME])) / TICKS,
    };
  } catch {
    return null; // it has ended, or this is no Linux
  }
}

/**
 * Runs `neco` with these words; its notes and progress go to standard error.
 * @throws ChildFailure if it ends badly.
 */
export async function watchNeco(words: readonly string[]): Promise<Watched> {
  const start = performance.now();
  const neco = fileURLToPath(new URL("../../tools/neco.mjs", import.meta.url));
  const child = spawn(process.execPath, [neco, ...words], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  let seen: Look = { peakBytes: null, cpuSeconds: null };
  const looking = setInterval(() => {
    seen = (child.pid === undefined ? null : lookAt(child.pid)) ?? seen;
  }, INTERVAL);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    if (code !== 0) throw new ChildFailure(EXIT.fixable);
  } finally {
    clearInterval(looking);
  }
  return { seconds: (performance.now() - start) / 1000, ...seen };
}
