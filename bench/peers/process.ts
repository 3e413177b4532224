/** The bench's end of an engine's process. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Replies, Reply, Request } from "./protocol.ts";

/** How an engine's process is started. */
export interface Command {
  readonly program: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Ask = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

const MOST_LOG = 4000; // characters kept of what an engine prints

/** An engine in a process of its own; requests wait for their answers one after the other. */
export class EngineProcess {
  private readonly child: ChildProcess;
  private readonly limitMs: number;
  private log = "";
  private requests = 0;
  private over: string | null = null;

  /** @param limitMs - the longest that an answer may take. */
  constructor({ program, words, env }: Command, limitMs: number) {
    this.limitMs = limitMs;
    this.child = spawn(program, words, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    const keep = (chunk: Buffer): void => {
      this.log = (this.log + chunk.toString()).slice(-MOST_LOG);
    };
    this.child.stdout?.on("data", keep);
    this.child.stderr?.on("data", keep);
    this.child.once("error", (error) => (this.over ??= error.message));
    this.child.once("exit", (code, signal) => {
      this.over ??= `ended with ${signal ?? String(code)}${this.lastWords()}`;
    });
  }

  /**
   * Asks and waits.
   * @throws Error with the engine's reason, or when it takes too long or dies.
   */
  ask<D extends Request["do"]>(request: Ask & { readonly do: D }): Promise<Replies[D]> {
    const id = ++this.requests;
    return new Promise<Replies[D]>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        clearInterval(watch);
        this.child.off("message", hear);
        finish();
      };
      const fail = (reason: string): void => {
        settle(() => {
          reject(new Error(reason));
        });
      };
      const hear = (reply: Reply): void => {
        if (reply.id !== id) return;
        if ("error" in reply) fail(reply.error);
        else
          settle(() => {
            resolve(reply.ok as Replies[D]);
          });
      };
      const timer = setTimeout(() => {
        this.end();
        fail(`did not finish within ${this.limitMs / 1000} s`);
      }, this.limitMs);
      // A process may die without answering, and before this question.
      const watch = setInterval(() => {
        if (this.over !== null) fail(this.over);
      }, 50);
      this.child.on("message", hear);
      this.child.send({ id, ...request }, (error) => {
        if (error) setTimeout(fail, 100, this.over ?? error.message);
      });
    });
  }

  /** Ends the process. */
  end(): void {
    this.child.kill("SIGKILL");
  }

  private lastWords(): string {
    const lines = this.log.split("\n").filter((line) => line !== "" && !line.startsWith("Warning"));
    const telling = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
    return telling === undefined ? "" : `: ${telling.trim().slice(0, 200)}`;
  }
}
