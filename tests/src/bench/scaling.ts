import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { DirectoryFrameStore, frameBytes } from '@facecast/shared/frame-store';
import { createLogger } from '@facecast/shared/logger';
import { detectJobId, JobQueue } from '@facecast/shared/queues';
import { connectRedis, type Redis } from '@facecast/shared/redis';
import { faceClip, HEIGHT, WIDTH } from '../support/clips.js';
import { memory } from '../support/memory.js';
import { startRedisServer } from '../support/redis-server.js';
import { CpuLimit } from './cpu-limit.js';
import { rawFrames } from './raw-frames.js';
import { table } from './figures.js';

const REPOSITORY = new URL('../../..', import.meta.url).pathname;
const REPLICAS = [1, 2, 4];
/** Of a core, for each detector. */
const SHARE = 0.25;
const SECONDS = 12;
const WARM_UP_SECONDS = 4;
const SESSIONS = 4;
const FRAMES_A_BATCH = 3;
/** Enough that no detector ever waits for work. */
const BATCHES_WAITING = 16;

/** How many batches a second 1, 2 and 4 detectors mark, each held to a quarter of a core. */
export async function benchScaling(): Promise<string> {
  const root = await mkdtemp(join(memory, 'facecast-scaling-'));
  const clip = join(root, 'face.webm');
  await faceClip(clip, 6);
  const frames = await rawFrames(clip);
  const server = await startRedisServer();
  try {
    const rates: number[] = [];
    for (const replicas of REPLICAS) rates.push(await measure(server.url, root, frames, replicas));
    const rows = rates.map((rate, i) => [
      String(REPLICAS[i]),
      rate.toFixed(1),
      (rate / (rates[0] ?? NaN)).toFixed(2),
    ]);
    return table(['detectors, 1/4 core each', 'batches a second', 'times one'], rows);
  } finally {
    await server.stop();
    await rm(root, { recursive: true, force: true });
  }
}

async function measure(url: string, root: string, frames: Buffer, replicas: number) {
  const log = createLogger('bench', 'fatal');
  const redis = connectRedis(url, 'worker', log);
  await redis.flushall();
  const framesDir = join(root, `frames-${replicas}`);
  const source = new BatchSource(redis, new DirectoryFrameStore(framesDir), frames);
  const detectors = Array.from({ length: replicas }, () => startDetector(url, framesDir));
  const feeding = new AbortController();
  const fed = source.feed(feeding.signal);
  await source.marked(replicas * 4);
  const limits = detectors.map(({ pid }) => new CpuLimit(pid ?? 0, SHARE));
  await after(WARM_UP_SECONDS * 1_000);
  const [before, since] = [source.count, performance.now()];
  await after(SECONDS * 1_000);
  const rate = ((source.count - before) * 1_000) / (performance.now() - since);
  for (const limit of limits) limit.lift();
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

/** What the stages around the detectors do: gives them batches of several sessions, and takes them back. */
class BatchSource {
  /** Batches that were marked. */
  count = 0;
  private readonly detect: JobQueue<'detect'>;
  private readonly next = new Array<number>(SESSIONS).fill(0);
  private added = 0;

  constructor(
    private readonly redis: Redis,
    private readonly store: DirectoryFrameStore,
    private readonly frames: Buffer,
  ) {
    this.detect = new JobQueue(redis, { kind: 'detect' });
  }

  /** Resolves when so many batches are marked. */
  async marked(count: number): Promise<void> {
    while (this.count < count) await after(20);
  }

  async feed(signal: AbortSignal): Promise<void> {
    for (let session = 0; session < SESSIONS; session++)
      await this.store.openSession(`session-${session}`);
    while (!signal.aborted) {
      while (this.added - this.count < BATCHES_WAITING) await this.add(this.added % SESSIONS);
      await this.takeBack();
      await after(10);
    }
  }

  async close(): Promise<void> {
    await this.detect.close();
  }

  private async add(session: number): Promise<void> {
    const sessionId = `session-${session}`;
    const batch = this.next[session] ?? 0;
    this.next[session] = batch + 1;
    const bytes = FRAMES_A_BATCH * frameBytes(WIDTH, HEIGHT);
    const at = (batch * bytes) % (this.frames.length - (this.frames.length % bytes));
    await this.store.write(
      { sessionId, batch, kind: 'decoded' },
      this.frames.subarray(at, at + bytes),
    );
    const now = Date.now();
    const job = {
      ...{ sessionId, batch, firstFrame: batch * FRAMES_A_BATCH, frameCount: FRAMES_A_BATCH },
      ...{ width: WIDTH, height: HEIGHT, samples: 0, receivedAt: now, decodedAt: now },
      // Ahead of its time: every frame is searched, however long it takes.
      capturedAt: now + 3_600_000,
      effect: 'box' as const,
    };
    await this.detect.add(job, { jobId: detectJobId(job) });
    this.added++;
  }

  private async takeBack(): Promise<void> {
    for (let session = 0; session < SESSIONS; session++) {
      const sessionId = `session-${session}`;
      const key = `facecast:marked:${sessionId}`;
      const entries = await this.redis.xrange(key, '-', '+');
      for (const [id, fields] of entries) {
        const { batch } = JSON.parse(fields[1] ?? '{}') as { batch: number };
        await this.store.remove({ sessionId, batch, kind: 'decoded' });
        await this.store.remove({ sessionId, batch, kind: 'marked' });
        await this.redis.xdel(key, id);
        this.count++;
      }
    }
  }
}
