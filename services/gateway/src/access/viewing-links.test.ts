import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { Redis } from 'ioredis';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { ViewingLinks } from './viewing-links.js';

const SECRET = 'what-only-the-operator-knows';
const HERE = '192.0.2.1';
const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
let now: number;
const links = (connection = redis) => new ViewingLinks(connection, SECRET, () => now);
const wanted = { expiresIn: 60, leaveAfter: 600, address: undefined };

beforeEach(async () => {
  await redis.flushall();
  now = 1_770_000_000_000;
});
afterAll(() => redis.quit());

async function passOf(all: ViewingLinks, sessionId = 's', options = wanted): Promise<string> {
  const { token } = await all.make(sessionId, options);
  return (await all.exchange(sessionId, token, HERE))?.pass ?? 'none';
}

test('a link is exchanged for a pass until it expires; the pass is good until its viewer must leave', async () => {
  const all = links();
  const { id, token } = await all.make('s', wanted);
  now += 59_000;
  const pass = (await all.exchange('s', token, HERE))?.pass ?? '';
  expect(await all.linkOf('s', pass, HERE)).toBe(id);
  now += 1_000;
  expect(await all.exchange('s', token, HERE)).toBeUndefined();
  now += 539_000;
  expect(await all.linkOf('s', pass, HERE)).toBe(id);
  now += 1_000;
  expect(await all.linkOf('s', pass, HERE)).toBeUndefined();
});

test('is none of another session, and neither is the other', async () => {
  const all = links();
  const { token } = await all.make('s', wanted);
  const pass = await passOf(all);
  expect(await all.exchange('t', token, HERE)).toBeUndefined();
  expect(await all.linkOf('t', pass, HERE)).toBeUndefined();
  expect(await all.linkOf('s', token, HERE)).toBeUndefined();
  expect(await all.exchange('s', pass, HERE)).toBeUndefined();
});

test('one that is bound to an address is good from there alone', async () => {
  const all = links();
  const { token } = await all.make('s', { ...wanted, address: HERE });
  expect(await all.exchange('s', token, '192.0.2.2')).toBeUndefined();
  const pass = (await all.exchange('s', token, HERE))?.pass ?? '';
  expect(await all.linkOf('s', pass, HERE)).toBeDefined();
  expect(await all.linkOf('s', pass, '192.0.2.2')).toBeUndefined();
});

test('what is revoked at one gateway opens nothing at any other a second later', async () => {
  const [one, other] = [links(), links()];
  const pass = await passOf(one);
  expect(await other.linkOf('s', pass, HERE)).toBeDefined();
  expect(await one.revoke('s')).toBe(1);
  expect(await one.linkOf('s', pass, HERE)).toBeUndefined();
  now += 1_000;
  expect(await other.linkOf('s', pass, HERE)).toBeUndefined();
});

test('one of several is revoked, the others stay', async () => {
  const all = links();
  const pass = await passOf(all);
  const { id, token } = await all.make('s', wanted);
  expect(await all.revoke('s', id)).toBe(1);
  expect(await all.revoke('s', id)).toBe(0);
  expect(await all.exchange('s', token, HERE)).toBeUndefined();
  expect(await all.linkOf('s', pass, HERE)).toBeDefined();
});

test('a Redis that has forgotten everything opens nothing', async () => {
  const all = links();
  const pass = await passOf(all);
  await redis.flushall();
  now += 1_000;
  expect(await all.linkOf('s', pass, HERE)).toBeUndefined();
});

test('while Redis is gone, who watches goes on for ten seconds, and nobody else comes in', async () => {
  const lost = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  const all = links(lost);
  const pass = await passOf(all);
  expect(await all.linkOf('s', pass, HERE)).toBeDefined();
  lost.disconnect();
  now += 9_000;
  expect(await all.linkOf('s', pass, HERE)).toBeDefined();
  now += 1_000;
  await expect(all.linkOf('s', pass, HERE)).rejects.toThrow();
});

test('another secret is another server', async () => {
  const pass = await passOf(links());
  const other = new ViewingLinks(redis, 'another-operators-secret', () => now);
  expect(await other.linkOf('s', pass, HERE)).toBeUndefined();
});

test('a session has a thousand links at most, of which those that have run out do not count', async () => {
  const all = links();
  const seconds = now / 1000;
  const old = Array.from({ length: 999 }, (_, n) => [seconds + 1, `link ${n}`]).flat();
  await redis.zadd('facecast:viewing-links:s', ...old);
  await all.make('s', wanted);
  await expect(all.make('s', wanted)).rejects.toThrow(/at most 1000 links/);
  now += 1_000;
  await all.make('s', wanted);
  expect(await redis.zcard('facecast:viewing-links:s')).toBe(2);
  expect(await redis.ttl('facecast:viewing-links:s')).toBeGreaterThan(500);
});
