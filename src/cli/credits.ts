/** Which data sets a run used, in which group they stand, and whom to credit. */
import { isRecord } from "../io/json.ts";
import type { Credit, OodGroup, OodJson, RunConfig } from "../report/index.ts";

const GROUPS: readonly OodGroup[] = ["near", "far", "control", "other"];

/** An OOD set as a run records it under `notes.ood`. */
export interface OodSetNote {
  readonly name: string;
  /** The data set that it was loaded from. */
  readonly spec: string;
  readonly group: OodGroup;
  readonly title: string;
  readonly credit: string;
  readonly hash: string;
  readonly n: number;
}

const isOodSetNote = (value: unknown): value is OodSetNote =>
  isRecord(value) &&
  typeof value["name"] === "string" &&
  typeof value["spec"] === "string" &&
  typeof value["title"] === "string" &&
  typeof value["credit"] === "string" &&
  GROUPS.some((group) => group === value["group"]);

/** The OOD sets that a run's configuration names. */
export function oodNotes(config: RunConfig | null): OodSetNote[] {
  const notes = config?.notes?.["ood"];
  return Array.isArray(notes) ? notes.filter(isOodSetNote) : [];
}

/** The group of every OOD set: as the evaluation says, else as the run says. */
export function groupsOf(config: RunConfig | null, ood: OodJson | null): Record<string, OodGroup> {
  const groups = Object.fromEntries(oodNotes(config).map(({ name, group }) => [name, group]));
  const stated = ood?.config["groups"];
  if (!isRecord(stated)) return groups;
  for (const [name, value] of Object.entries(stated)) {
    const group = GROUPS.find((known) => known === value);
    if (group !== undefined) groups[name] = group;
  }
  return groups;
}

/** Credits of the ID data set and of every OOD set. */
export function creditsOf(config: RunConfig | null): Credit[] {
  if (config === null) return [];
  const { title, credit, hash } = config.dataset;
  return [
    { name: title, credit, hash },
    ...oodNotes(config).map((set) => ({
      name: `${set.title} (${set.name}, n = ${set.n})`,
      credit: set.credit,
      hash: set.hash,
    })),
  ];
}
