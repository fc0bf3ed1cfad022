import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { DirectoryFrameStore, frameBytes } from '@facecast/shared/media/frame-store';
import { createLogger } from '@facecast/shared/runtime/logger';
import { connectRedis } from '@facecast/shared/redis/redis';
import { faceClip, HEIGHT, WIDTH } from '../support/clips.js';
import { memory } from '../support/memory.js';
import { startRedisServer } from '../support/redis-server.js';
import { BatchSource, FRAMES_A_BATCH } from './batch-source.js';
import { CpuLimit } from './cpu-limit.js';
import { rawFrames } from './raw-frames.js';
import type { AloneTask } from './search-alone.js';
import { table } from './tables.js';

const REPOSITORY = new URL('../../..', import.meta.url).pathname;
const REPLICAS = [1, 2, 4];
/** Of a core, for each detector. */
const SHARE = 0.25;
const SECONDS = 12;
const WARM_UP_SECONDS = 4;

/**
 * How many batches a second 1, 2 and 4 detectors mark, each held to a quarter of a core; and, for what
 * the machine itself has to give, as many processes that do the same with nothing in common.
 */
export async function benchScaling(): Promise<string> {
  const root = await mkdtemp(join(memory, 'facecast-scaling-'));
  const clip = join(root, 'face.webm');
  await faceClip(clip, 6);
  const frames = await rawFrames(clip);
  const server = await startRedisServer();
  try {
    const rows: string[][] = [];
    let first: { ours: number; alone: number } | undefined;
    for (const replicas of REPLICAS) {
      const ours = await measureDetectors(server.url, root, frames, replicas);
      const alone = await measureAlone(root, frames, replicas);
      first ??= { ours, alone };
      const times = [ours / first.ours, alone / first.alone].map((ratio) => ratio.toFixed(2));
      rows.push([String(replicas), ours.toFixed(1), times[0]!, alone.toFixed(1), times[1]!]);
    }
    return table(
      ['1/4 core each', 'detectors, batches a second', 'times one', 'alone', 'times one'],
      rows,
    );
  } finally {
    await server.stop();
    await rm(root, { recursive: true, force: true });
  }
}

async function measureDetectors(url: string, root: string, frames: Buffer, replicas: number) {
  const redis = connectRedis(url, 'worker', createLogger('bench', 'fatal'));
  await redis.flushall();
  const framesDir = join(root, `frames-${replicas}`);
  const source = new BatchSource(redis, new DirectoryFrameStore(framesDir), frames);
  const detectors = Array.from({ length: replicas }, () => startDetector(url, framesDir));
  const feeding = new AbortController();
  const fed = source.feed(feeding.signal);
  const rate = await rateOf(detectors, async () => source.count);
  feeding.abort();
  await fed;
  for (const detector of detectors) {
    detector.kill('SIGTERM');
    await once(detector, 'exit');
  }
  await source.close();
  redis.disconnect();
  return rate;
}

async function measureAlone(root: string, frames: Buffer, processes: number) {
  const framesDir = join(root, `alone-${processes}`);
  const store = new DirectoryFrameStore(framesDir);
  const clip = 'clip';
  await store.openSession(clip);
  const bytes = FRAMES_A_BATCH * frameBytes(WIDTH, HEIGHT);
  const batches = Math.floor(frames.length / bytes);
  for (let batch = 0; batch < batches; batch++)
    await store.write(
      { sessionId: clip, batch, kind: 'decoded' },
      frames.subarray(batch * bytes, (batch + 1) * bytes),
    );
  const task: AloneTask = { framesDir, clip, batches, framesPerBatch: FRAMES_A_BATCH };
  const script = new URL('./search-alone.js', import.meta.url).pathname;
  const alone = Array.from({ length: processes }, () => fork(script, [JSON.stringify(task)]));
  const rate = await rateOf(alone, async () => {
    const counts = await Promise.all(alone.map(askMarked));
    return counts.reduce((sum, count) => sum + count, 0);
  });
  for (const one of alone) {
    one.disconnect();
    await once(one, 'exit');
  }
  return rate;
}

async function askMarked(one: ChildProcess): Promise<number> {
  const answered = once(one, 'message') as Promise<[number]>;
  one.send('how many?');
  return (await answered)[0];
}

/** How much they do in a second once they are warm, each held to its share. */
async function rateOf(processes: ChildProcess[], count: () => Promise<number>): Promise<number> {
  while ((await count()) < processes.length * 4) await after(20);
  const limits = processes.map(({ pid }) => new CpuLimit(pid ?? 0, SHARE));
  await after(WARM_UP_SECONDS * 1_000);
  const [before, since] = [await count(), performance.now()];
  await after(SECONDS * 1_000);
  const rate = (((await count()) - before) * 1_000) / (performance.now() - since);
  for (const limit of limits) limit.lift();
  return rate;
}

function startDetector(url: string, framesDir: string): ChildProcess {
  return spawn('node', [join(REPOSITORY, 'services/face-detector/dist/main.js')], {
    env: {
      ...process.env,
      REDIS_URL: url,
      FRAMES_DIR: framesDir,
      OPS_PORT: '0',
      LOG_LEVEL: 'warn',
    },
    stdio: 'inherit',
  });
}
