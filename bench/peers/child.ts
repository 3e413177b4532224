/** An engine's process: answers the bench's requests, one at a time. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { engines } from "./engines/index.ts";
import type { Inputs, PeerEngine, Prepared } from "./engine.ts";
import type { InputFile, Replies, Reply, Request } from "./protocol.ts";

function load(files: Readonly<Record<string, InputFile>>): Inputs {
  const entries = Object.entries(files).map(([name, { file, shape, dtype, weight }]) => {
    const { buffer, byteOffset, byteLength } = readFileSync(file);
    const bytes = buffer.slice(byteOffset, byteOffset + byteLength); // aligned
    const values = dtype === "f32" ? new Float32Array(bytes) : new Int32Array(bytes);
    return [name, { shape, values, weight }];
  });
  return Object.fromEntries(entries) as Inputs;
}

class Answers {
  private readonly engine: PeerEngine;
  private prepared: Prepared | null = null;

  constructor(engine: PeerEngine) {
    this.engine = engine;
  }

  async to(request: Request): Promise<Replies[keyof Replies]> {
    switch (request.do) {
      case "available":
        return this.engine.available();
      case "prepare":
        this.prepared = await this.engine.prepare(request.work, load(request.inputs));
        return null;
      case "run": {
        const start = performance.now();
        await this.ready.run(request.repeats);
        return { ms: (performance.now() - start) / request.repeats };
      }
      case "result": {
        const outputs = await this.ready.result();
        for (const [name, values] of Object.entries(outputs))
          writeFileSync(join(request.folder, `${name}.f32`), values);
        return { names: Object.keys(outputs) };
      }
      default:
        return request satisfies never;
    }
  }

  private get ready(): Prepared {
    if (!this.prepared) throw new TypeError("nothing is prepared");
    return this.prepared;
  }
}

const make = engines[process.argv[2] ?? ""];
if (!make) throw new RangeError(`engine ${process.argv[2] ?? ""} is unknown`);
const answers = new Answers(await make());
process.on("message", (request: Request) => {
  answers.to(request).then(
    (ok) => process.send?.({ id: request.id, ok } satisfies Reply),
    (error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      process.send?.({ id: request.id, error: text } satisfies Reply);
    },
  );
});
process.on("disconnect", () => process.exit());
