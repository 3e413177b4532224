/** Lets one piece of GPU work run at a time: engine scopes may be nested but not interleaved. */

/** A queue; a long task lends the GPU to those that wait, between two of its steps. */
export class Turns {
  private readonly waiting: (() => Promise<void>)[] = [];
  private isBusy = false;

  /** Runs `work` when the GPU is free, or when a long task passes. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push(() => work().then(resolve, reject));
      if (!this.isBusy) void this.drain();
    });
  }

  /** Called by a running task at a point where nothing of its own is under way. */
  async pass(): Promise<void> {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) await next();
  }

  private async drain(): Promise<void> {
    this.isBusy = true;
    await this.pass();
    this.isBusy = false;
  }
}

/** Gives the page a moment to draw and to take input; also in tabs that are not shown. */
export const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
