import { LRUCache } from 'lru-cache';

/** Wrong tokens that a client may send at once: a whole school may share one address. */
const BURST = 60;
/** After this time it may send one more, in milliseconds. */
const REFILL_MS = 1_000;
/** Maximum number of clients remembered; the oldest go first. */
const MAX_CLIENTS = 10_000;

interface Bucket {
  left: number;
  filledAt: number;
}

/** A token bucket for each client's wrong tokens: with an empty one, no token is compared any more. */
export class WrongTokens {
  private readonly buckets: LRUCache<string, Bucket>;

  /** @param now a clock in milliseconds that never goes back */
  constructor(
    private readonly now: () => number = () => performance.now(),
    maxClients = MAX_CLIENTS,
  ) {
    this.buckets = new LRUCache({ max: maxClients });
  }

  /** Number of clients remembered. */
  get clients(): number {
    return this.buckets.size;
  }

  /** Whether a client has sent too many. */
  isTooMany(client: string): boolean {
    const bucket = this.refilled(client);
    return bucket !== undefined && bucket.left < 1;
  }

  /** Counts a wrong token. */
  tried(client: string): void {
    const { left, filledAt } = this.refilled(client) ?? { left: BURST, filledAt: this.now() };
    this.buckets.set(client, { left: Math.max(0, left - 1), filledAt });
  }

  private refilled(client: string): Bucket | undefined {
    const bucket = this.buckets.get(client);
    if (!bucket) return undefined;
    const now = this.now();
    const left = bucket.left + (now - bucket.filledAt) / REFILL_MS;
    if (left < BURST) return { left, filledAt: now };
    this.buckets.delete(client);
    return undefined;
  }
}
