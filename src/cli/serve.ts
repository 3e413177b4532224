/** `neco serve`: the browser pages on localhost, from files alone. */
import type { Command } from "commander";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError } from "../util/errors.ts";
import { runScript } from "./child.ts";
import { note } from "./console.ts";
import { numberIn } from "./options.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".gz": "application/octet-stream", // the page unpacks it itself
  ".safetensors": "application/octet-stream",
};

/** Folders by the address that they appear under; the longest match wins. */
export type Mounts = Readonly<Record<string, string>>;

/** The file behind an address, or null where the address leaves its folder. */
export function fileOf(address: string, mounts: Mounts): string | null {
  const path = decodeAddress(address);
  if (path === null) return null;
  const prefixes = Object.keys(mounts).sort((a, b) => b.length - a.length);
  const prefix = prefixes.find((candidate) => path.startsWith(candidate));
  const folder = prefix === undefined ? undefined : mounts[prefix];
  if (prefix === undefined || folder === undefined) return null;
  const inside = path.slice(prefix.length);
  const file = normalize(
    join(folder, inside === "" || inside.endsWith("/") ? `${inside}index.html` : inside),
  );
  return file.startsWith(normalize(folder + sep)) ? file : null;
}

function decodeAddress(address: string): string | null {
  try {
    const path = decodeURIComponent(address.split(/[?#]/)[0] ?? "");
    return path.includes("\0") ? null : path;
  } catch {
    return null; // not a valid escape
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  mounts: Mounts,
): Promise<void> {
  const file = fileOf(request.url ?? "/", mounts);
  const facts = file === null ? null : await stat(file).catch(() => null);
  if (file === null || facts?.isFile() !== true) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": facts.size,
    "cache-control": "no-cache",
    // Other pages must not read this one, nor embed it.
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  });
  if (request.method === "HEAD") response.end();
  else
    createReadStream(file)
      .on("error", () => response.destroy())
      .pipe(response);
}

/**
 * Serves folders on this machine's own address; port 0 takes a free one.
 * @throws DataError if the port is in use.
 */
export async function serveFolders(
  mounts: Mounts,
  port: number,
): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    answer(request, response, mounts).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new DataError(
          `port ${port} cannot be used (${error.message}); choose another: --port ${port + 1}`,
        ),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = server.address();
  const actual = typeof bound === "object" && bound !== null ? bound.port : port;
  return { server, address: `http://127.0.0.1:${actual}/` };
}

/** Where the built page lies, its digits beside it. */
const pageMounts = (): Mounts => ({
  "/": fileURLToPath(new URL("../../demo/web", import.meta.url)),
});

/** Adds `neco serve`. */
export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve the browser pages (training, features in 3-D, draw a digit) on localhost")
    .option(
      "--port <n>",
      "the port; 0 takes a free one",
      numberIn({ min: 0, max: 65_535, integer: true }),
      8787,
    )
    .addHelpText("after", "\nExample:\n  neco serve --port 9000")
    .action(async ({ port }: { port: number }) => {
      await runScript("tools/build-web.ts", []);
      const { server, address } = await serveFolders(pageMounts(), port);
      note(`open ${address} in a browser with WebGPU; Ctrl-C ends`);
      await new Promise<void>((resolve) => {
        process.once("SIGINT", resolve).once("SIGTERM", resolve);
      });
      server.close();
    });
}
