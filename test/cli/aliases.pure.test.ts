/** The reference's spellings, and that docs/from-neco.md maps each of them as the code does. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { REFERENCE_OPTIONS, withoutAliases } from "../../src/cli/aliases.ts";

describe("withoutAliases", () => {
  test.each([
    ["train --warmup_steps 200 --SHUFFLE_ME", "train --warmup-steps 200 --SHUFFLE-ME"],
    ["train --train_batch_size=64", "train --batch-size=64"],
    ["train --gradient_accumulation_steps 4", "train --accumulate 4"],
    ["train --test_NC True --seed 17", "train --track-nc --seed 17"],
    ["train --test_NC --seed 17", "train --track-nc --seed 17"],
    ["train --test_NC False --seed 17", "train --seed 17"],
    ["train --from_scratch=True", "train --from-scratch"],
    ["train --from_scratch=False --seed 1", "train --seed 1"],
    ["ood --neco_dim 100 --out_dataset SVHN", "ood --neco-dim 100 --ood SVHN"],
    ["--adapter lavapipe train --output_dir runs/a_b", "--adapter lavapipe train --out runs/a_b"],
    ["report some_folder --title x_y", "report some_folder --title x_y"],
  ])("%s", (given, wanted) => {
    expect(withoutAliases(given.split(" "))).toEqual(wanted.split(" "));
  });

  test("an option without counterpart says why", () => {
    expect(() => withoutAliases(["train", "--local_rank", "0"])).toThrow(
      /--local_rank of the reference is not needed here: one adapter per run/,
    );
    expect(() => withoutAliases(["train", "--SHUFFLE", "False"])).toThrow(/always shuffled/);
  });
});

describe("docs/from-neco.md", () => {
  const text = readFileSync(new URL("../../docs/from-neco.md", import.meta.url), "utf8");
  const sections = new Map(
    text.split(/^## /m).map((section) => [/`neco (\w+)`/.exec(section)?.[1] ?? "", section]),
  );
  for (const [command, fates] of Object.entries(REFERENCE_OPTIONS)) {
    test(`maps every option of the script behind neco ${command}`, () => {
      const rows = [...(sections.get(command) ?? "").matchAll(/^\| `--(\w+)` +\| (.*?) +\|$/gm)];
      const documented = new Map(rows.map(([, name = "", fate = ""]) => [name, fate]));
      expect([...documented.keys()].sort()).toEqual(Object.keys(fates).sort());
      for (const [name, fate] of Object.entries(fates)) {
        const said = documented.get(name) ?? "";
        if ("dropped" in fate) expect(said).toBe(`dropped: ${fate.dropped}`);
        else expect(said).toContain(`\`--${"to" in fate ? fate.to : fate.flag}\``);
      }
    });
  }
});
