import type { Logger } from '../runtime/logger.js';
import { LOCK_MS, QUEUE_PREFIX, STALLED_CHECK_MS, type LeaseQueue } from '../redis/queues.js';
import { type Redis, warnUnlessOutage } from '../redis/redis.js';

/** How often lock expiries are bounded, and so how much longer a fail-over may take after a clock jump. */
const LOOK_EVERY_MS = 2_000;

/**
 * Bounds how long a dead owner's lock lasts when the clock of Redis is set back.
 *
 * Redis expires keys by the time of day. If its clock is set back by an hour, a dead owner's lock lasts an
 * hour longer, and so does BullMQ's key for the last stalled check. So an expiry further ahead than it was
 * ever set is shortened. Living owners renew theirs.
 */
export class LockExpiry {
  private readonly timer: NodeJS.Timeout;

  constructor(redis: Redis, queue: LeaseQueue, log: Logger) {
    const look = () => redis.eval(BOUND, 1, `${QUEUE_PREFIX}:${queue}`, STALLED_CHECK_MS, LOCK_MS);
    this.timer = setInterval(() => {
      look().catch((e: unknown) => warnUnlessOutage(log, e, 'could not bound lock expiry'));
    }, LOOK_EVERY_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }
}

const BOUND = `
local function bound(key, most)
  if redis.call('PTTL', key) > tonumber(most) then redis.call('PEXPIRE', key, most) end
end
bound(KEYS[1] .. ':stalled-check', ARGV[1])
for _, id in ipairs(redis.call('LRANGE', KEYS[1] .. ':active', 0, -1)) do
  bound(KEYS[1] .. ':' .. id .. ':lock', ARGV[2])
end`;
