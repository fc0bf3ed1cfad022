/** Timers by name, each set at most once at a time. */
export class Timers<Name extends string> {
  private readonly timers = new Map<Name, ReturnType<typeof setTimeout>>();

  /** Calls `then` once in `ms` milliseconds, instead of what the name stood for. */
  set(name: Name, ms: number, then: () => void): void {
    this.clear(name);
    const timer = setTimeout(() => {
      this.timers.delete(name);
      then();
    }, ms);
    this.timers.set(name, timer);
  }

  isSet(name: Name): boolean {
    return this.timers.has(name);
  }

  /** Stops these, or all. */
  clear(...names: Name[]): void {
    for (const name of names.length > 0 ? names : [...this.timers.keys()]) {
      clearTimeout(this.timers.get(name));
      this.timers.delete(name);
    }
  }
}
