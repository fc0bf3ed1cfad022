/** Timers by name, each set at most once at a time. */
export class Timers<Name extends string> {
  private readonly timers = new Map<Name, ReturnType<typeof setTimeout>>();

  /** Calls `then` once after `ms` milliseconds; replaces the timer of this name. */
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

  /** Stops the timers of these names, or all. */
  clear(...names: Name[]): void {
    for (const name of names.length > 0 ? names : [...this.timers.keys()]) {
      clearTimeout(this.timers.get(name));
      this.timers.delete(name);
    }
  }
}
