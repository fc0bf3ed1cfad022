import { Redis } from 'ioredis';
import { ConfigError } from '../runtime/config.js';
import type { Logger } from '../runtime/logger.js';
import { refuseSettings } from '../runtime/service.js';
import { whyUnfit } from './redis-fitness.js';

export type { Redis };

/** Prefix of every key. */
export const KEY_PREFIX = 'facecast';

/**
 * Safety TTL of every session key: 24 h. Redis expires by the time of day, so it is longer than any clock
 * jump or outage.
 */
export const SESSION_TTL_SECONDS = 86_400;

const MAX_RECONNECT_DELAY_MS = 1_000;

/** How long a `producer` connection waits for the answer to a command, in milliseconds. */
const COMMAND_TIMEOUT_MS = 10_000;

/**
 * A connection that reconnects by itself for as long as the process lives.
 *
 * - `worker`: commands wait until Redis is back. For consumers.
 * - `producer`: commands fail after a second without Redis; those already sent when it went, after ten. For
 *   code whose caller waits.
 *
 * The process ends with a line that names `REDIS_URL` if the Redis cannot be used (`whyUnfit`).
 */
export function connectRedis(url: string, role: 'worker' | 'producer', log: Logger): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: role === 'worker' ? null : 3,
    // ioredis keeps commands that were sent for when Redis is back, and counts no retries for them.
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
  refuseUnfit(redis);
  return redis;
}

/**
 * Ends the process if the Redis is unfit. Asks before any other command, and again later if it cannot
 * answer yet.
 */
function refuseUnfit(redis: Redis): void {
  redis.info().then(
    (info) => {
      const problem = whyUnfit(info);
      if (problem !== undefined) refuseSettings(new ConfigError([`REDIS_URL: ${problem}`]));
    },
    () => redis.once('ready', () => refuseUnfit(redis)),
  );
}

/** Error codes of a connection that is gone, or of a Redis that is just coming back. */
const OUTAGE_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);
const OUTAGE_MESSAGES =
  /^(Connection is closed|Reached the max retries per request|Command timed out|LOADING )/;
/** Errors of BullMQ after an outage, or after a process stood still; their stacks say nothing new. */
export const LOST_LOCK = /^(could not renew lock|Missing (lock|key)|Lock mismatch) for job /;

/**
 * Logs an error of an operation that needs Redis as a warning, unless it is an outage: `connectRedis` logs
 * each outage once.
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

/** Whether Redis takes no writes because its memory, or the volume of its log, is full. */
export function isRedisFull(error: unknown): boolean {
  return /^OOM |No space left on device/.test((error as Error).message);
}

/** An error's message; an AggregateError of connection attempts has only a code. */
function messageOf({ message, code }: NodeJS.ErrnoException): string {
  return message || (code ?? 'unknown');
}
