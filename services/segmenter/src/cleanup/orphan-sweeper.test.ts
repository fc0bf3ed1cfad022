import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { createLogger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import { JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OrphanSweeper } from './orphan-sweeper.js';

const log = createLogger('test', 'fatal');

let root: string;
let redis: Redis;
let registry: SessionRegistry;
let frameStore: DirectoryFrameStore;
let leaseJobs: JobQueue<'segment'>;
let sweeper: OrphanSweeper;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facecast-orphans-'));
  redis = connectRedis(redisUrl, 'worker', log);
  await redis.flushall();
  registry = new SessionRegistry(redis);
  frameStore = new DirectoryFrameStore(root);
  leaseJobs = new JobQueue(redis, { kind: 'segment' });
  const abandon = (sessionId: string) => registry.remove(sessionId);
  sweeper = new OrphanSweeper({ redis, registry, frameStore, leaseJobs, abandon, log });
});

afterEach(async () => {
  await leaseJobs.close();
  redis.disconnect();
  await rm(root, { recursive: true });
});

async function register(): Promise<string> {
  const { session } = await registry.create({ mimeType: 'video/webm', effect: 'box' }, 10);
  await registry.publisherSeen(session.id, 15);
  return session.id;
}

/** A live session has its lease job, and something of everything. */
async function liveSession(): Promise<string> {
  const sessionId = await register();
  await leaseJobs.add({ sessionId }, { jobId: sessionId });
  await frameStore.openSession(sessionId);
  await frameStore.write({ sessionId, batch: 0, kind: 'decoded' }, Buffer.alloc(10));
  const chunk = { kind: 'chunk', n: 3, receivedAt: 1 } as const;
  await registry.storeChunks(sessionId, 0, [chunk], [Buffer.alloc(10)]);
  const chunks = new JobQueue(redis, { kind: 'chunks', sessionId });
  await chunks.add(chunk, { jobId: 'c3' });
  await chunks.close();
  await new RenderedBatchLog(redis).append(sessionId, { kind: 'end', batches: 1, frames: 1 });
  return sessionId;
}

const keysOf = async (sessionId: string) => (await redis.keys(`*${sessionId}*`)).sort();

describe('what killed services left', () => {
  test('of sessions that are over is removed, frames, chunks, queues and all', async () => {
    const sessionId = await liveSession();
    await leaseJobs.remove(sessionId);
    await registry.remove(sessionId);
    expect((await keysOf(sessionId)).length).toBeGreaterThan(3);
    await sweeper.sweep();
    expect(await keysOf(sessionId)).toEqual([]);
    expect(await frameStore.sessions()).toEqual([]);
  });

  test('is removed without touching anything of live sessions', async () => {
    const sessionId = await liveSession();
    const before = await keysOf(sessionId);
    for (let n = 0; n < 3; n++) await sweeper.sweep();
    expect(await keysOf(sessionId)).toEqual(before);
    expect(await frameStore.read({ sessionId, batch: 0, kind: 'decoded' })).toBeDefined();
  });

  test('is found among many keys, and queues that belong to all stay', async () => {
    const live = await liveSession();
    const detect = new JobQueue(redis, { kind: 'detect' });
    const dead = Array.from({ length: 1_200 }, (_, n) => `${n}`.padStart(22, 'x'));
    await Promise.all(dead.map((id) => redis.set(`facecast:decoding:${id}`, '1')));
    await redis.set('facecast:queue:detect:meta-of-ours', '1');
    const before = await keysOf(live);
    await sweeper.sweep();
    expect(await redis.keys('facecast:decoding:*')).toEqual([]);
    expect(await redis.exists('facecast:queue:detect:meta-of-ours')).toBe(1);
    expect(await keysOf(live)).toEqual(before);
    await detect.close();
  });

  test('in the registry is removed: a session without a lease job is ended', async () => {
    const orphan = await register();
    const live = await liveSession();
    await sweeper.sweep();
    expect((await registry.ids()).sort()).toEqual([live, orphan].sort());
    await sweeper.sweep();
    expect(await registry.ids()).toEqual([live]);
  });

  test('does not include a session that is just beginning', async () => {
    const sessionId = await register();
    await sweeper.sweep();
    await leaseJobs.add({ sessionId }, { jobId: sessionId });
    for (let n = 0; n < 2; n++) await sweeper.sweep();
    expect(await registry.ids()).toEqual([sessionId]);
  });
});
