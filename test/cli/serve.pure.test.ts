/** The static server: right files, right types, nothing outside its folders. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileOf, serveFolders } from "../../src/cli/serve.ts";

const folder = mkdtempSync(join(tmpdir(), "neco-serve-"));
const [web, digits] = [join(folder, "web"), join(folder, "digits")];
const mounts = { "/": web, "/data/": digits };

mkdirSync(web);
mkdirSync(digits);
writeFileSync(join(web, "index.html"), "<p>page</p>");
writeFileSync(join(web, "main.js"), "1");
writeFileSync(join(digits, "a.gz"), "zipped");
writeFileSync(join(folder, "secret"), "secret");

let served: Awaited<ReturnType<typeof serveFolders>>;
beforeAll(async () => {
  served = await serveFolders(mounts, 0);
});
afterAll(() => {
  served.server.close();
});

/** Sends the path as it is; fetch would tidy it. */
function get(
  path: string,
  method = "GET",
): Promise<{ status: number; type: string; body: string }> {
  const { hostname, port } = new URL(served.address);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method }, (response) => {
      let body = "";
      response.on("data", (part) => (body += String(part)));
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
          body,
        });
      });
    })
      .on("error", reject)
      .end();
  });
}

test("serves pages and data with their types", async () => {
  expect(await get("/")).toEqual({
    status: 200,
    type: "text/html; charset=utf-8",
    body: "<p>page</p>",
  });
  expect((await get("/main.js?v=1")).type).toContain("javascript");
  expect((await get("/data/a.gz")).body).toBe("zipped");
  expect((await get("/main.js", "HEAD")).body).toBe("");
});

test.each(["/nothing", "/../secret", "/%2e%2e/secret", "/data/../../secret", "/%zz", "/a%00b"])(
  "%s is not found",
  async (path) => {
    expect((await get(path)).status).toBe(404);
  },
);

test("addresses never leave their folder", () => {
  expect(fileOf("/..%2f..%2fetc/passwd", mounts)).toBe(null);
  expect(fileOf("/data/a.gz", mounts)).toBe(join(digits, "a.gz"));
});

test("a port in use is told with the way out", async () => {
  const port = Number(new URL(served.address).port);
  await expect(serveFolders(mounts, port)).rejects.toThrow(
    new RegExp(`port ${port} cannot be used.*--port`),
  );
});
