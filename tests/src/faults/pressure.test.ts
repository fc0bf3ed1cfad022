import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
/** The detector's share of a core: far too little for even one session. */
const SHARE = 0.02;
/** Bound on the batches of a session between frame-extractor and playlist. */
const MAX_BATCHES_ON_THE_WAY = 20;
/** Batches that a viewer may have seen, and that are removed a moment later. */
const JUST_SHOWN = 10;

let server: RedisServer;
let redis: Redis;
let stack: Stack;
let media: string;
let webm: Buffer;

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-pressure-'));
  const path = join(media, 'counted.webm');
  await countedClip(path, 30 * 40);
  webm = await readFile(path);
  server = await startRedisServer();
  redis = new Redis(server.url);
  const env = { DETECTOR_REPLICAS: '1', MAX_SESSIONS: String(SESSIONS) };
  stack = await startStack({ REDIS_URL: server.url, ...env });
});

afterAll(async () => {
  await stack?.stop();
  redis?.disconnect();
  await server?.stop();
  await rm(media, { recursive: true, force: true });
});

/** Numbers of a session's batches that have a file, or a job for the detectors. */
async function batchesKept(sessionId: string): Promise<number[]> {
  const files = await readdir(join(stack.framesDir, sessionId));
  const jobs = await redis.lrange('facecast:queue:detect:wait', 0, -1);
  const own = jobs.filter((id) => id.startsWith(`${sessionId}.`));
  return [...files, ...own.map((id) => id.slice(sessionId.length + 1))]
    .map((name) => Number.parseInt(name))
    .filter((batch) => !Number.isNaN(batch));
}

const begin = () => LivePublisher.start(stack.ingestUrl, webm);

test('with more sessions than can be searched, the running ones lose nothing, new ones are refused, and no queue grows', async () => {
  const running = await Promise.all(Array.from({ length: SESSIONS }, () => startLive(stack, webm)));
  await expect(begin()).rejects.toThrow(/^(too_many_sessions|overloaded): /);
  const limits = (await processesOf(stack, 'services/face-detector')).map(
    ({ pid }) => new CpuLimit(pid, SHARE),
  );
  try {
    // Longer than the five seconds over which the gateway measures the load.
    for (let second = 0; second < 7; second++) {
      await Promise.all(running.map(({ viewer }) => viewer.parts(10)));
      for (const { publisher, viewer } of running) {
        const shown = viewer.arrivals.length;
        const kept = await batchesKept(publisher.sessionId);
        expect(Math.min(...kept)).toBeGreaterThan(shown - JUST_SHOWN);
        expect(new Set(kept).size).toBeLessThan(MAX_BATCHES_ON_THE_WAY + JUST_SHOWN);
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
  for (const { end, viewer } of running) {
    const frames = await end(1);
    expect(await viewer.numbers()).toEqual(Array.from({ length: frames }, (_, n) => n));
    expect(viewer.complaints).toEqual([]);
  }
  await (await begin()).stop();
});
