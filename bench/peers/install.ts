/** Brings the peers' packages, which the project itself does without. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Packages that are not there. */
export const absent = (packages: readonly string[]): string[] =>
  packages.filter(
    (name) => !existsSync(new URL(`node_modules/${name}/package.json`, import.meta.url)),
  );

/**
 * Installs bench/peers/package-lock.json and says so; install scripts are not run.
 * @returns whether it worked.
 */
export function install(say: (line: string) => void): boolean {
  say(
    "the peers are not installed: installing bench/peers/package-lock.json once (about 600 MB; --no-install goes on without them)",
  );
  // Scripts would fetch CUDA libraries; the binaries that are measured are in the packages.
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts"], {
    cwd: folder,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) say("installing failed: try `npm ci --prefix bench/peers --ignore-scripts`");
  return status === 0;
}
