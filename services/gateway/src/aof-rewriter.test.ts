import { createLogger } from '@facecast/shared/runtime/logger';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { AofRewriter } from './aof-rewriter.js';
import { until } from './testing/until.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const MIB = 1024 * 1024;
const rewriter = () => new AofRewriter(redis, createLogger('gateway', 'silent'), 1);
const ended = { type: 'ended', sessionId: 's', frames: 1 } as const;
let open: AofRewriter[] = [];

beforeEach(async () => {
  await redis.flushall();
  await until(async () => (await persistence('aof_rewrite_in_progress')) === 0);
  open = [rewriter(), rewriter()];
});
afterEach(() => open.forEach((each) => each.close()));
afterAll(async () => {
  await redis.config('SET', 'appendonly', 'yes');
  await redis.quit();
});

async function persistence(field: string): Promise<number> {
  const found = new RegExp(`^${field}:(\\d+)`, 'm').exec(await redis.info('persistence'));
  return Number(found?.[1]);
}

async function calls(command: string): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
}

test('chunks of a session that has ended are removed from the log of Redis', async () => {
  await redis.set('facecast:chunk:s:0', Buffer.alloc(2 * MIB, 'x'));
  await redis.unlink('facecast:chunk:s:0');
  await until(async () => (await persistence('aof_current_size')) > 2 * MIB);
  open[0]?.receive(ended);
  await until(async () => (await persistence('aof_current_size')) < MIB);
});

test('also if a rewrite is running that began before they were removed', async () => {
  await redis.set('facecast:chunk:s:0', Buffer.alloc(2 * MIB, 'x'));
  await redis.bgrewriteaof();
  await redis.unlink('facecast:chunk:s:0');
  open[0]?.receive(ended);
  await until(async () => (await persistence('aof_current_size')) < MIB);
});

test('only one of several gateways does it', async () => {
  await redis.config('RESETSTAT');
  for (const each of open) each.receive(ended);
  await until(async () => (await calls('set')) === open.length);
  await until(async () => (await calls('bgrewriteaof')) > 0);
  await until(async () => (await persistence('aof_rewrite_in_progress')) === 0);
  expect(await calls('bgrewriteaof')).toBe(1);
});

test('a Redis without a log does not begin one', async () => {
  await redis.config('SET', 'appendonly', 'no');
  await redis.config('RESETSTAT');
  open[0]?.receive(ended);
  // Each look is a call of INFO, too.
  let looks = 0;
  await until(async () => (await calls('info')) > looks++);
  await redis.ping();
  expect(await calls('bgrewriteaof')).toBe(0);
});
