import { Redis } from 'ioredis';
import type { Logger } from '../runtime/logger.js';

export type { Redis };

/** Every key of the system begins with this. */
export const KEY_PREFIX = 'facecast';

/**
 * After so long without a change, what nobody removed of a session is gone, whatever else fails. Redis
 * counts it by the time of day: it is more than a clock may jump by, or a service be missing for.
 */
export const SESSION_TTL_SECONDS = 86_400;

const MAX_RECONNECT_DELAY_MS = 1_000;

/**
 * A connection that comes back by itself for as long as the process lives.
 *
 * - `worker`: commands wait for Redis to come back. For consumers, which have nobody to answer to.
 * - `producer`: commands fail after a second without Redis. For whoever has a caller waiting.
 */
export function connectRedis(url: string, role: 'worker' | 'producer', log: Logger): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: role === 'worker' ? null : 3,
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

/**
 * What ioredis and the system say of a connection that is gone, or of a Redis that only just comes back.
 */
const OUTAGE_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);
const OUTAGE_MESSAGES = /^(Connection is closed|Reached the max retries per request|LOADING )/;
/** What BullMQ says after an outage, or where a process stood still: where in the code is no news. */
export const LOST_LOCK = /^(could not renew lock|Missing (lock|key)|Lock mismatch) for job /;

/**
 * Logs a warning of trouble with something that needs Redis. Where it is only that Redis is gone, it
 * is left out: `connectRedis` tells that, once for all connections of a service.
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

/** An address that was tried in several ways has only a code. */
function messageOf({ message, code }: NodeJS.ErrnoException): string {
  return message || (code ?? 'unknown');
}
