/** Counts connections by client. What is not connected any more takes no room. */
export class ConnectionCount {
  private readonly counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Clients that have a connection at the moment. */
  get clients(): number {
    return this.counts.size;
  }

  /** Counts one more, unless the client has as many as it may; the answer takes it off again, once. */
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
