/** The version of an installed peer. */
import { readFileSync } from "node:fs";

/** @param name - the package; its version as bench/peers has it installed. */
export function installed(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return `${name} ${version}`;
}
