import { createLogger } from '@facecast/shared/runtime/logger';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { sessionKey } from '@facecast/shared/redis/session-keys';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TrackerState } from './tracker-state.js';
import { TrackerStateStore } from './tracker-state-store.js';

let redis: Redis;
let states: TrackerStateStore;

beforeAll(async () => {
  redis = connectRedis(redisUrl, 'worker', createLogger('test', 'silent'));
  await redis.flushall();
  states = new TrackerStateStore(redis);
});
afterAll(() => redis.disconnect());

beforeEach(async () => {
  for (const id of ['a', 'order', 'short', 'over']) await redis.hset(sessionKey(id), 'id', id);
});

const state = (frame: number): TrackerState => ({
  ...{ width: 640, height: 480, nextId: 8, searchedForHiding: true, searchedFrame: frame },
  ...{ thumbnail: Buffer.from('abc'), reference: Buffer.from('de'), pending: Buffer.from([255]) },
  tracks: [
    {
      ...{ id: 7, x: 1.5, y: 2, width: 30, height: 30, score: 0.8, sure: true, checked: true },
      ...{ dx: 0.25, dy: -1, foundIn: frame, turn: 90 },
    },
  ],
});

test('a state that one replica saved is loaded by another one, and only for its session', async () => {
  await states.save('a', 3, state(9));
  expect(await new TrackerStateStore(redis).load('a')).toEqual(state(9));
  expect(await states.load('b')).toBeUndefined();
});

test('the state of the newest batch wins, in whatever order they finish', async () => {
  await states.save('order', 10, state(30));
  await states.save('order', 9, state(27));
  expect(await states.load('order')).toEqual(state(30));
  await states.save('order', 11, state(33));
  expect(await states.load('order')).toEqual(state(33));
});

test('a state expires soon after the last batch', async () => {
  await states.save('short', 0, state(0));
  const left = await redis.pttl('facecast:faces:short');
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(1_000);
});

test('a state is removed with its session, and a late detector does not bring it back', async () => {
  await states.save('over', 0, state(0));
  await new SessionRegistry(redis).remove('over');
  expect(await states.load('over')).toBeUndefined();
  await states.save('over', 1, state(3));
  expect(await states.load('over')).toBeUndefined();
});

test('a state that cannot be read counts as none', async () => {
  await redis.hset('facecast:faces:odd', 'batch', 1, 'state', '{"width":"?"}');
  expect(await states.load('odd')).toBeUndefined();
});
