/** Ticks ten times a second, also while another window covers the page: a worker's timers keep their pace. */
export class Pace {
  private readonly worker = new Worker(new URL('./pace-worker.ts', import.meta.url), {
    type: 'module',
  });
  private closed = false;
  private ticked: () => void = () => undefined;

  constructor() {
    this.worker.addEventListener('message', () => this.ticked());
  }

  /** Resolves with the next tick; at once where there are no more. One call at a time. */
  tick(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed) resolve();
      else this.ticked = resolve;
    });
  }

  /** Whoever waits goes on. May be called again. */
  close(): void {
    this.closed = true;
    this.worker.terminate();
    this.ticked();
  }
}
