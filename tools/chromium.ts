/** Finds and starts a Chromium for the browser tests: an installed one, or the one in the cache. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { cacheFolder } from "../src/platform/node-swiftshader.ts";
import { unpackTar } from "./tar.ts";

/** A browser to start, and what its process needs in its environment. */
export interface ChromiumCommand {
  readonly executable: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The packed parts of the headless Chromium that tools/fetch-swiftshader.ts keeps. */
export const PACKED = {
  browser: "chromium.br",
  libraries: "al2023.tar.br",
  driver: "swiftshader.tar.br",
  fonts: "fonts.tar.br",
} as const;

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const FLAGS = [
  "--no-sandbox", // containers and root have none
  "--disable-dev-shm-usage", // containers often have a tiny or closed /dev/shm
  "--enable-unsafe-webgpu", // WebGPU on a software adapter
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Where the fetched Chromium lives, present or not. */
export const chromiumFolder = (): string => join(cacheFolder(), "chromium-147.0.0");

/**
 * The Chromium to use: NECO_CHROMIUM, an installed one, the fetched one; null if there is none.
 * @throws Error if NECO_CHROMIUM names no file.
 */
export function findChromium(): ChromiumCommand | null {
  const chosen = process.env["NECO_CHROMIUM"];
  if (chosen) {
    if (existsSync(chosen)) return { executable: chosen, environment: {} };
    throw new Error(`NECO_CHROMIUM names ${chosen}, which does not exist`);
  }
  const installed = INSTALLED.find((path) => existsSync(path));
  if (installed !== undefined) return { executable: installed, environment: {} };
  return existsSync(join(chromiumFolder(), PACKED.fonts)) ? unpackFetched() : null;
}

/**
 * Starts the Chromium that {@link findChromium} finds, headless, with WebGPU.
 * @throws Error if there is none, or it does not start.
 */
export function launchChromium(): Promise<Browser> {
  const found = findChromium();
  if (!found) throw new Error("no Chromium: install one, or name it in NECO_CHROMIUM");
  return chromium.launch({
    executablePath: found.executable,
    headless: true,
    args: FLAGS,
    env: { ...definedEnvironment(), ...found.environment },
  });
}

function unpackFetched(): ChromiumCommand {
  const folder = chromiumFolder();
  const executable = join(folder, "chromium");
  if (!existsSync(executable)) {
    const unpacked = (name: string): Uint8Array =>
      brotliDecompressSync(readFileSync(join(folder, name)));
    mkdirSync(folder, { recursive: true });
    unpackTar(unpacked(PACKED.libraries), folder);
    unpackTar(unpacked(PACKED.driver), folder);
    unpackTar(unpacked(PACKED.fonts), folder);
    writeFileSync(join(folder, FONT_CONFIG), fontConfig(folder));
    writeFileSync(`${executable}.part`, unpacked(PACKED.browser), { mode: 0o755 });
    renameSync(`${executable}.part`, executable); // last: its presence says that all is there
  }
  const libraries = [join(folder, "lib"), process.env["LD_LIBRARY_PATH"]].filter(Boolean);
  return {
    executable,
    environment: {
      LD_LIBRARY_PATH: libraries.join(delimiter),
      FONTCONFIG_FILE: join(folder, FONT_CONFIG),
    },
  };
}

const FONT_CONFIG = "fonts.conf";

/** Chromium dies at the first letter where no font is installed, as on a bare Debian. */
const fontConfig = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${join(folder, "fonts")}</dir>
  <cachedir>${join(folder, "font-cache")}</cachedir>
</fontconfig>
`;

const definedEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
