/** Counts connections by client. A client without a connection takes no memory. */
export class ConnectionCount {
  private readonly counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Number of clients with a connection. */
  get clients(): number {
    return this.counts.size;
  }

  /** Counts one more; undefined if the client has its maximum. The returned function takes it off again, once. */
  enter(client: string): (() => void) | undefined {
    const count = this.counts.get(client) ?? 0;
    if (count >= this.most) return undefined;
    this.counts.set(client, count + 1);
    let isIn = true;
    return () => {
      if (isIn) this.leave(client);
      isIn = false;
    };
  }

  private leave(client: string): void {
    const count = (this.counts.get(client) ?? 1) - 1;
    if (count > 0) this.counts.set(client, count);
    else this.counts.delete(client);
  }
}
