/** Serves a built page and opens it in headless Chromium; what goes wrong in it is kept. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { serveFolders } from "../../src/cli/serve.ts";
import { bundle } from "../../tools/build-web.ts";
import { launchChromium } from "../../tools/chromium.ts";

/** An open page and all that it needs. */
export interface OpenPage {
  readonly page: Page;
  readonly address: string;
  /** The served folder; files put here can be fetched. */
  readonly folder: string;
  /** Console errors and uncaught exceptions so far. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

const HTML = `<!doctype html><meta charset="utf-8"><title>tests</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>`;

/** Lets `build` fill a temporary folder, serves it and opens it at `query`. */
export async function openPage(
  build: (folder: string) => Promise<void>,
  query = "",
): Promise<OpenPage> {
  const folder = mkdtempSync(join(tmpdir(), "neco-page-"));
  const closers: (() => Promise<unknown>)[] = [
    () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  ];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    await build(folder);
    const { server, address } = await serveFolders({ "/": folder }, 0);
    closers.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const browser: Browser = await launchChromium();
    closers.push(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1340, height: 900 } });
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(address + query);
    return { page, address, folder, errors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens page.ts, ready to be called through `testPage`. */
export async function openTestPage(): Promise<OpenPage> {
  const open = await openPage(async (folder) => {
    await bundle(join(import.meta.dirname, "page.ts"), join(folder, "page.js"));
    writeFileSync(join(folder, "index.html"), HTML);
  });
  await open.page.waitForFunction(() => "testPage" in globalThis);
  return open;
}
