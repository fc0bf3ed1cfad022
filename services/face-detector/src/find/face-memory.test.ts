import { createLogger } from '@facecast/shared/logger';
import { connectRedis, type Redis } from '@facecast/shared/redis';
import { redisUrl } from '@facecast/shared/testing/redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FaceMemory } from './face-memory.js';
import type { Knowledge } from './knowledge.js';
import { LOOKS_LENGTH } from './looks.js';

let redis: Redis;
let memory: FaceMemory;

beforeAll(async () => {
  redis = connectRedis(redisUrl, 'worker', createLogger('test', 'silent'));
  await redis.flushall();
  memory = new FaceMemory(redis);
});
afterAll(() => redis.disconnect());

const knowledge = (frame: number): Knowledge => ({
  ...{ width: 640, height: 480, nextId: 8, hidden: true, looks: 'A'.repeat(LOOKS_LENGTH) },
  ...{ searched: frame, searchedWhole: frame, searchedThoroughly: frame },
  tracks: [
    {
      ...{ id: 7, x: 1.5, y: 2, width: 30, height: 30, score: 0.8, sure: true },
      ...{ dx: 0.25, dy: -1, foundIn: frame },
    },
  ],
});

test('what one replica knew of a session, another one knows; other sessions are none of it', async () => {
  await memory.save('a', 3, knowledge(9));
  expect(await new FaceMemory(redis).load('a')).toEqual(knowledge(9));
  expect(await memory.load('b')).toBeUndefined();
});

test('the knowledge of the newest batch wins, in whatever order they finish', async () => {
  await memory.save('order', 10, knowledge(30));
  await memory.save('order', 9, knowledge(27));
  expect(await memory.load('order')).toEqual(knowledge(30));
  await memory.save('order', 11, knowledge(33));
  expect(await memory.load('order')).toEqual(knowledge(33));
});

test('it is gone by itself soon after the last batch', async () => {
  await memory.save('short', 0, knowledge(0));
  const left = await redis.pttl('facecast:faces:short');
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(1_000);
});

test('knowledge that cannot be read is none', async () => {
  await redis.hset('facecast:faces:odd', 'batch', 1, 'knowledge', '{"width":"?"}');
  expect(await memory.load('odd')).toBeUndefined();
});
