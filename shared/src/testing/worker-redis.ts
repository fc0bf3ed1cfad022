import { inject } from 'vitest';

/** A real Redis that no other test file uses at the same time (tests/src/setup/start-redis.ts). */
export const redisUrl = ownRedisUrl();

function ownRedisUrl(): string {
  // One a worker, and a worker runs one file at a time.
  const url = inject('redisUrls')[Number(process.env['VITEST_POOL_ID']) - 1];
  if (url === undefined) throw new Error('there is no Redis for this worker');
  return url;
}
