import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { consume, JobQueue } from './queues.js';
import { redisUrl } from '../testing/worker-redis.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });

beforeAll(() => redis.flushall());
afterEach(() => redis.config('SET', 'maxmemory', '0'));
afterAll(() => redis.quit());

test('a Redis that refuses writes is asked once a second, and jobs go on when it accepts them again', async () => {
  const queue = new JobQueue(redis, { kind: 'decode' });
  const done = new Set<string>();
  const consumer = consume(redis, { kind: 'decode' }, async ({ sessionId }) => {
    done.add(sessionId);
  });
  let refusals = 0;
  consumer.on('error', () => refusals++);
  await queue.add({ sessionId: 'first' });
  await expect.poll(() => done.has('first')).toBe(true);

  await redis.config('SET', 'maxmemory', '1');
  await once(consumer, 'paused');
  await once(consumer, 'resumed');
  expect(refusals).toBeLessThan(5);
  await redis.config('SET', 'maxmemory', '0');
  await queue.add({ sessionId: 'second' });
  await expect.poll(() => done.has('second')).toBe(true);
  await consumer.close();
  await queue.close();
});
