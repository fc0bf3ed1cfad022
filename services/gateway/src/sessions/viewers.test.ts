import { Redis } from 'ioredis';
import { createLogger } from '@facecast/shared/runtime/logger';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { viewerOf, Viewers } from './viewers.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const log = createLogger('gateway', 'silent');
let now = 0;
const open = () => new Viewers(redis, log, () => now);

beforeEach(() => redis.flushall());
afterAll(() => redis.quit());

test('the viewers of several gateways add up, each counts once', async () => {
  const [one, two] = [open(), open()];
  for (const viewer of ['a', 'b', 'a']) one.seen('s', viewer);
  for (const viewer of ['b', 'c']) two.seen('s', viewer);
  two.seen('other', 'a');
  await Promise.all([one.flush(), two.flush()]);
  expect(await one.count('s')).toBe(3);
  expect(await one.count('other')).toBe(1);
  one.close();
  two.close();
});

test('who has not been seen for six seconds counts no more', async () => {
  now = 100_000;
  const viewers = open();
  viewers.seen('s', 'left');
  await viewers.flush();
  now += 5_000;
  viewers.seen('s', 'stayed');
  await viewers.flush();
  expect(await viewers.count('s')).toBe(2);
  now += 1_001;
  expect(await viewers.count('s')).toBe(1);
  viewers.seen('s', 'stayed');
  await viewers.flush();
  expect(await redis.zcard('facecast:viewers:s')).toBe(1);
  viewers.close();
});

test('nothing is left of a session some seconds after its last viewer', async () => {
  const viewers = open();
  viewers.seen('s', 'a');
  await viewers.flush();
  expect(await redis.ttl('facecast:viewers:s')).toBeLessThanOrEqual(10);
  viewers.close();
});

test('no address is stored', async () => {
  const viewers = open();
  viewers.seen('s', '192.0.2.1 Browser/1');
  await viewers.flush();
  expect(String(await redis.zrange('facecast:viewers:s', '0', '-1'))).not.toContain('192');
  viewers.close();
});

test('more viewers than can be told at once are left out, not piled up', async () => {
  const viewers = open();
  for (let n = 0; n < 20_100; n++) viewers.seen('s', `${n}`);
  await viewers.flush();
  expect(await redis.zcard('facecast:viewers:s')).toBe(20_000);
  viewers.seen('s', 'one more');
  await viewers.flush();
  expect(await redis.zcard('facecast:viewers:s')).toBe(20_001);
  viewers.close();
});

describe('a viewer is known', () => {
  const viewer = (headers: Record<string, string>, trustProxy = 0) =>
    viewerOf({ headers, socket: { remoteAddress: '192.0.2.1' } } as never, trustProxy);

  test('by the name it gives itself, else by its address and program', () => {
    expect(viewer({ 'x-facecast-viewer': 'tab', 'user-agent': 'B' })).toBe('tab');
    expect(viewer({ 'user-agent': 'B' })).toBe('192.0.2.1 B');
    expect(viewer({ 'x-facecast-viewer': 'x'.repeat(1000) })).toHaveLength(200);
  });

  test('by the address that a proxy tells, where so many are trusted', () => {
    const headers = { 'user-agent': 'B', 'x-forwarded-for': '203.0.113.9, 198.51.100.7' };
    expect(viewer(headers)).toBe('192.0.2.1 B');
    expect(viewer(headers, 1)).toBe('198.51.100.7 B');
    expect(viewer(headers, 2)).toBe('203.0.113.9 B');
  });
});
