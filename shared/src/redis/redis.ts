import { Redis } from 'ioredis';
import type { Logger } from '../runtime/logger.js';

export type { Redis };

/** Prefix of every key. */
export const KEY_PREFIX = 'facecast';

/**
 * Safety TTL of every session key: 24 h. Redis expires by the time of day, so it is longer than any clock
 * jump or outage.
 */
export const SESSION_TTL_SECONDS = 86_400;

const MAX_RECONNECT_DELAY_MS = 1_000;

/** How long a producer waits for the answer to a command. */
const COMMAND_TIMEOUT_MS = 10_000;

/**
 * A connection that reconnects by itself for as long as the process lives.
 *
 * - `worker`: commands wait until Redis is back. For consumers.
 * - `producer`: commands fail after a second without Redis, those that were under way when it went after ten.
 *   For code that has a caller waiting.
 */
export function connectRedis(url: string, role: 'worker' | 'producer', log: Logger): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: role === 'worker' ? null : 3,
    // ioredis keeps those under way for when Redis is back, and counts no retries for them.
    ...(role === 'producer' && { commandTimeout: COMMAND_TIMEOUT_MS }),
    enableOfflineQueue: true,
    connectTimeout: 5_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, MAX_RECONNECT_DELAY_MS),
  });
  let lost = false;
  redis.on('error', (error: Error) => {
    if (!lost) log.warn({ cause: messageOf(error) }, 'lost Redis');
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) log.warn('Redis is back');
    lost = false;
  });
  return redis;
}

/** Error codes of a connection that is gone, or of a Redis that is just coming back. */
const OUTAGE_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);
const OUTAGE_MESSAGES =
  /^(Connection is closed|Reached the max retries per request|Command timed out|LOADING )/;
/** Errors of BullMQ after an outage, or after a process stood still; their stacks are no news. */
export const LOST_LOCK = /^(could not renew lock|Missing (lock|key)|Lock mismatch) for job /;

/**
 * Logs an error of an operation that needs Redis as a warning; but not an outage of Redis, which
 * `connectRedis` logs once for all.
 */
export function warnUnlessOutage(
  log: Logger,
  error: unknown,
  message: string,
  details: object = {},
): void {
  const { code = '', message: cause } = error as NodeJS.ErrnoException;
  const isOutage = OUTAGE_CODES.has(code) || OUTAGE_MESSAGES.test(cause);
  const reason = LOST_LOCK.test(cause) ? { cause } : { err: error };
  log[isOutage ? 'debug' : 'warn']({ ...details, ...reason }, message);
}

/** An error's message; an AggregateError of connection attempts has only a code. */
function messageOf({ message, code }: NodeJS.ErrnoException): string {
  return message || (code ?? 'unknown');
}
