/** Runs a program of the system, silently and with a time limit. */
import { spawn } from "node:child_process";
import { DataError } from "../util/errors.ts";

const KEPT = 2000; // characters of its messages

/**
 * Runs a program to its end.
 * @throws DataError with the program's last line if it is absent, fails or takes too long.
 */
export async function runTool(
  command: string,
  words: readonly string[],
  { cwd, timeoutMs }: { cwd: string; timeoutMs: number },
): Promise<void> {
  const child = spawn(command, words, {
    cwd,
    timeout: timeoutMs,
    stdio: ["ignore", "ignore", "pipe"],
    shell: process.platform === "win32", // npm is a script there
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-KEPT);
  });
  const code = await new Promise<number | string>((resolve) => {
    child.once("error", (error) => {
      resolve("code" in error && error.code === "ENOENT" ? "not installed" : error.message);
    });
    child.once("close", (status, signal) => {
      resolve(status ?? `ended by ${signal ?? "a signal"}`);
    });
  });
  if (code === 0) return;
  const reason = typeof code === "string" ? code : (said.trim().split("\n").at(-1) ?? "");
  throw new DataError(`${command} ${words[0] ?? ""}: ${reason || `exit code ${code}`}`);
}
