/** `neco data`: which data sets there are, what is in them, and how to get them. */
import type { Command } from "commander";
import { SPLIT_NAMES, type ImageDataset } from "../data/dataset.ts";
import { describeDatasets, loadDataset } from "../data/registry.ts";
import { count, textTable } from "../report/index.ts";
import { note, print, writeJson } from "./console.ts";

/** Names, whether they are here, and what they are. */
async function listText(): Promise<string> {
  const rows = await Promise.all(
    describeDatasets().map(async (entry) => [
      entry.name,
      (await entry.isPresent()) ? "here" : entry.canFetch ? "neco data fetch" : "bring files",
      entry.summary,
    ]),
  );
  return textTable(["name", "state", "what"], rows);
}

/** Sizes, classes, credit and hash of a data set. */
export function infoText(dataset: ImageDataset): string {
  const { name, title, height, width, channels, classes, splits, mean, std, credit, hash } =
    dataset;
  const sizes = SPLIT_NAMES.map((split) => `${split} ${count(splits[split].count)}`).join(", ");
  const rows: [string, string][] = [
    ["name", name],
    ["title", title],
    ["images", `${height} × ${width} × ${channels}: ${sizes}`],
    ["classes", classes.length === 0 ? "none" : `${classes.length}: ${classes.join(", ")}`],
    ["mean, std", `${mean.join(", ")}; ${std.join(", ")}`],
    ["credit", credit],
    ["sha256", hash],
  ];
  return rows.map(([key, value]) => `${key.padEnd(9)}  ${value}`).join("\n");
}

const perClass = ({ classes, splits }: ImageDataset): Record<string, Record<string, number>> =>
  Object.fromEntries(
    SPLIT_NAMES.map((split) => [
      split,
      Object.fromEntries(
        classes.map((name, index) => [
          name,
          splits[split].labels.filter((label) => label === index).length,
        ]),
      ),
    ]),
  );

function addList(data: Command): void {
  data
    .command("list")
    .description("names of data sets and whether they are on this machine")
    .addHelpText("after", "\nExample:\n  neco data list")
    .action(async () => {
      print(await listText());
    });
}

function addInfo(data: Command): void {
  data
    .command("info")
    .description("sizes, classes, credit and hash of a data set; reads all of it")
    .argument("<name|path>", "a name, NAME:CLASSES, or a folder")
    .option("--json <file>", "write it, with images per class; - for standard output")
    .addHelpText("after", "\nExample:\n  neco data info mnist-10k:0-7")
    .action(async (spec: string, { json }: { json?: string }) => {
      const dataset = await loadDataset(spec);
      const { splits, ...facts } = dataset;
      const counts = Object.fromEntries(SPLIT_NAMES.map((split) => [split, splits[split].count]));
      if (json !== undefined)
        await writeJson(json, { ...facts, counts, per_class: perClass(dataset) });
      if (json !== "-") print(infoText(dataset));
    });
}

function addFetch(data: Command): void {
  data
    .command("fetch")
    .description("download a data set into the user's cache, checked by its hash; needs no root")
    .argument("<name>", "a name that neco data list shows as fetchable")
    .addHelpText("after", "\nExample:\n  neco data fetch fashion-mnist")
    .action(async (name: string) => {
      const { fetchDataset } = await import("./data-fetch.ts");
      await fetchDataset(name, { log: note });
    });
}

/** Adds `neco data`. */
export function addData(program: Command): void {
  const data = program
    .command("data")
    .description("list, inspect and fetch data sets")
    .addHelpText("after", "\nExamples:\n  neco data list\n  neco data fetch fashion-mnist");
  addList(data);
  addInfo(data);
  addFetch(data);
}
