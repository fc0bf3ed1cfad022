import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobQueue } from '@facecast/shared/queues';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CpuLimit } from '../bench/cpu-limit.js';
import { countedClip } from '../support/clips.js';
import { LivePublisher } from '../support/live-publisher.js';
import { startLive } from '../support/live-session.js';
import { processesOf } from '../support/processes.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startStack, type Stack } from '../support/stack.js';

const SESSIONS = 3;
/** Of a core, for the one detector: far too little for even one session. */
const SHARE = 0.02;
/** What a session may have on its way: a detector's patience and the segmenter's are a second together. */
const MOST_BATCHES_ON_THE_WAY = 30;

let server: RedisServer;
let redis: Redis;
let stack: Stack;
let media: string;
let webm: Buffer;

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-pressure-'));
  const path = join(media, 'counted.webm');
  await countedClip(path, 30 * 60);
  webm = await readFile(path);
  server = await startRedisServer();
  redis = new Redis(server.url);
  const env = { DETECTOR_REPLICAS: '1', MAX_SESSIONS: String(SESSIONS + 1) };
  stack = await startStack({ REDIS_URL: server.url, ...env });
});

afterAll(async () => {
  await stack?.stop();
  redis?.disconnect();
  await server?.stop();
  await rm(media, { recursive: true, force: true });
});

const begin = () => LivePublisher.start(stack.ingestUrl, webm);

test('with more sessions than can be searched, those that run flow on whole, new ones are refused, and nothing piles up', async () => {
  const detect = new JobQueue<'detect'>(redis, { kind: 'detect' });
  const running = await Promise.all(Array.from({ length: SESSIONS }, () => startLive(stack, webm)));
  const limits = (await processesOf(stack, 'services/face-detector')).map(
    ({ pid }) => new CpuLimit(pid, SHARE),
  );
  try {
    // More than the five seconds by which the gateway judges.
    for (let second = 0; second < 7; second++) {
      await Promise.all(running.map(({ viewer }) => viewer.parts(10)));
      expect(await detect.waiting()).toBeLessThan(SESSIONS * MOST_BATCHES_ON_THE_WAY);
      for (const { publisher } of running) {
        const files = await readdir(join(stack.framesDir, publisher.sessionId));
        expect(files.length).toBeLessThan(2 * MOST_BATCHES_ON_THE_WAY);
      }
    }
    await expect(begin()).rejects.toThrow(/^overloaded: The face search cannot keep up/);
    for (const { stats } of running) {
      const { framesOut, framesUndetected } = await stats();
      expect(framesUndetected).toBeGreaterThan(framesOut / 3);
    }
  } finally {
    limits.forEach((limit) => limit.lift());
  }
  // Once the detectors keep up again, there is room, up to the most sessions there may be.
  let another: LivePublisher | undefined;
  await expect
    .poll(async () => (another = await begin().catch(() => undefined)), { interval: 500 })
    .toBeDefined();
  await expect(begin()).rejects.toThrow(/^too_many_sessions: As many sessions run/);
  await another?.stop();

  for (const { end, viewer } of running) {
    const frames = await end(1);
    expect(await viewer.numbers()).toEqual(Array.from({ length: frames }, (_, n) => n));
    expect(viewer.complaints).toEqual([]);
  }
  await detect.close();
});
