import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deferred } from '@facecast/shared/runtime/deferred';
import { publishEvent } from '@facecast/shared/protocol/events';
import { DirectoryFrameStore, frameBytes } from '@facecast/shared/media/frame-store';
import { createLogger } from '@facecast/shared/runtime/logger';
import {
  RenderedBatchLog,
  RenderedBatchLogReader,
} from '@facecast/shared/redis/rendered-batch-log';
import type { DetectJob, InputEnd } from '@facecast/shared/protocol/messages';
import { chunkJobId, consume, JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { Registry } from 'prom-client';
import { readFrameExtractorConfig } from '../config.js';
import type { StallLimits } from '../video/video-decoder.js';
import type { Deps } from '../deps.js';
import { createDeps, Extractor } from '../extractor.js';
import { createExtractorMetrics } from '../metrics.js';

/** A session that takes no chunk for this long is held back; where it is only slow, the test is easier. */
const STILL_MS = 1_000;
/** More than the product has: what a playlist that stands still does not list is most of a short clip then. */
const IN_FLIGHT = 100;
/** Between two looks at what nobody tells: without a pause they would take a core. */
const LOOK_AGAIN_MS = 5;

export const log = createLogger('test', 'silent');

/** One session as its neighbours see it: the gateway on one side, detectors and segmenter on the other. */
export class TestSession {
  /** Detect jobs in the order they came, and the numbers burnt into their frames. */
  readonly jobs: DetectJob[] = [];
  readonly numbers: number[] = [];
  private readonly ended = deferred<InputEnd>();
  private readonly queue: JobQueue<'chunks'>;
  private next = 0;

  constructor(
    private readonly around: Surroundings,
    readonly id: string,
  ) {
    this.queue = new JobQueue(around.redis, { kind: 'chunks', sessionId: id });
    void around.log.add(id, (entries) => {
      for (const { entry } of entries) if (entry.kind === 'end') this.ended.resolve(entry);
    });
  }

  /** Sends pieces of an input stream, as the gateway does. */
  async send(pieces: Buffer[], mimeType?: string): Promise<void> {
    for (const bytes of pieces) {
      const n = this.next++;
      const chunk = { kind: 'chunk', n, receivedAt: Date.now(), mimeType } as const;
      await this.around.sessions.storeChunks(this.id, 0, [chunk], [bytes]);
      await this.queue.add(chunk, { jobId: chunkJobId(n) });
    }
  }

  async stop(): Promise<void> {
    await this.queue.add({ kind: 'end' });
  }

  /** Adds a chunk's job again, or one whose chunk is nowhere. */
  async addJob(n: number): Promise<void> {
    await this.queue.add({ kind: 'chunk', n, receivedAt: Date.now() });
  }

  /** Sends pieces of another input stream, as the gateway does where a message said so. */
  async sendRecording([first, ...rest]: Buffer[], mimeType = 'video/webm'): Promise<void> {
    await this.send([first!], mimeType);
    await this.send(rest);
  }

  /** Takes the next chunk and dies. */
  async dieWithChunk(): Promise<void> {
    const taken = deferred<void>();
    const address = { kind: 'chunks', sessionId: this.id } as const;
    const consumer = consume(this.around.redis, address, () => {
      taken.resolve();
      return deferred<void>().promise;
    });
    await taken.promise;
    await consumer.close(true);
  }

  /** Chunks that the extractor has not taken yet. */
  waiting(): Promise<number> {
    return this.queue.waiting();
  }

  /** The `end` entry, once it is there. */
  end(): Promise<InputEnd> {
    return this.ended.promise;
  }
}

/** A real extractor with its neighbours. */
export class Surroundings {
  readonly sessions: SessionRegistry;
  readonly frameStore: DirectoryFrameStore;
  readonly log: RenderedBatchLogReader;
  readonly metrics = createExtractorMetrics(new Registry());
  extractor!: Extractor;
  /** Whether the playlist takes what the extractor hands on. */
  playlistMoves = true;
  /** Batches that are lost on their way, once each. */
  readonly losing = new Set<number>();
  private readonly leaseJobs: JobQueue<'decode'>;
  private readonly bySession = new Map<string, TestSession>();
  private readonly watchers = new Set<() => void>();
  private readonly processes: ChildProcess[] = [];
  private readonly detectors;

  private constructor(
    readonly redis: Redis,
    private readonly directory: string,
    private readonly stallLimits: StallLimits | undefined,
    private readonly env: Record<string, string>,
  ) {
    this.sessions = new SessionRegistry(redis);
    this.frameStore = new DirectoryFrameStore(directory);
    this.log = new RenderedBatchLogReader(redis, log);
    this.leaseJobs = new JobQueue(redis, { kind: 'decode' });
    this.detectors = consume(redis, { kind: 'detect' }, (job) => this.take(job));
  }

  /** Input streams are not sent at their own speed here, and not held back: unless `env` says so. */
  static async start(
    redis: Redis,
    stallLimits?: StallLimits,
    env = { MAX_LEAD_SECONDS: '86400' },
  ): Promise<Surroundings> {
    const directory = await mkdtemp(join(tmpdir(), 'facecast-extractor-'));
    const around = new Surroundings(redis, directory, stallLimits, env);
    await around.startExtractor();
    return around;
  }

  async startExtractor(): Promise<void> {
    this.extractor = await Extractor.start(this.options(this.redis));
  }

  /** What an extractor has, of which all goes over this connection. */
  async deps(redis: Redis): Promise<Deps> {
    return createDeps(this.options(redis));
  }

  /** An extractor in a process of its own, which can be killed; resolves when it is ready. */
  async startProcess(redisUrl: string): Promise<ChildProcess> {
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const { PATH } = process.env;
    const own = { REDIS_URL: redisUrl, FRAMES_DIR: this.directory, OPS_PORT: '0', PATH };
    const env = { ...this.env, ...own };
    const extractor = spawn(process.execPath, [main], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.processes.push(extractor);
    for await (const line of createInterface(extractor.stdout)) if (line.includes('"ready"')) break;
    extractor.stdout.resume();
    return extractor;
  }

  async close(): Promise<void> {
    for (const process of this.processes) process.kill('SIGKILL');
    await this.extractor.close();
    await this.detectors.close();
    await this.log.close();
    await rm(this.directory, { recursive: true });
  }

  /** Adds a registered session and its lease job. */
  async begin(mimeType?: string): Promise<TestSession> {
    const session = await this.register(mimeType);
    await this.addLeaseJob(session);
    return session;
  }

  async register(mimeType = 'video/webm;codecs=vp8'): Promise<TestSession> {
    const { session } = await this.sessions.create({ mimeType, effect: 'box' }, 100);
    await this.sessions.publisherSeen(session.id, 60);
    const own = new TestSession(this, session.id);
    this.bySession.set(session.id, own);
    return own;
  }

  /** Adds the session's lease job. */
  async addLeaseJob({ id }: TestSession): Promise<void> {
    await this.leaseJobs.add({ sessionId: id }, { jobId: id });
  }

  /** Ends a session, as the segmenter does when it has listed all. */
  async forget({ id }: TestSession): Promise<void> {
    this.bySession.delete(id);
    this.log.remove(id);
    await new RenderedBatchLog(this.redis).removeSession(id);
    await this.frameStore.removeSession(id);
    await this.sessions.remove(id);
    await publishEvent(this.redis, { type: 'ended', sessionId: id, frames: 0 });
  }

  /** Where the session's frames are. */
  directoryOf({ id }: TestSession): string {
    return join(this.directory, id);
  }

  /** Resolves when so many sessions are being decoded. */
  async held(sessions: number): Promise<void> {
    while ((await this.metrics.sessions.get()).values[0]?.value !== sessions)
      await delay(LOOK_AGAIN_MS);
  }

  /** Resolves when the session's lease job is done. */
  async leaseJobDone({ id }: TestSession): Promise<void> {
    // The job is removed in the same step that says that it is completed.
    while ((await this.redis.exists(`facecast:queue:decode:${id}`)) === 1)
      await delay(LOOK_AGAIN_MS);
  }

  /** Resolves when no more of the session's chunks are taken. */
  async standsStill(session: TestSession): Promise<void> {
    for (let before = -1, waiting = 0; before !== waiting;) {
      before = waiting;
      await delay(STILL_MS);
      waiting = await session.waiting();
    }
  }

  /** Resolves when the condition holds, looked at after each batch. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const looked = deferred<void>();
      const watcher = () => looked.resolve();
      this.watchers.add(watcher);
      await looked.promise;
      this.watchers.delete(watcher);
    }
  }

  private options(redis: Redis) {
    return {
      ...{ config: readFrameExtractorConfig(this.env), redis, log },
      ...{ frameStore: this.frameStore, metrics: this.metrics, mostInFlight: IN_FLIGHT },
      ...(this.stallLimits && { stallLimits: this.stallLimits }),
    };
  }

  private async take(job: DetectJob): Promise<void> {
    const session = this.bySession.get(job.sessionId);
    const ref = { sessionId: job.sessionId, batch: job.batch, kind: 'decoded' } as const;
    if (this.losing.delete(job.batch)) return this.frameStore.remove(ref);
    const bytes = await this.frameStore.read(ref);
    if (!session || !bytes) throw new Error('a batch of nobody');
    session.jobs.push(job);
    const size = frameBytes(job.width, job.height);
    for (let from = 0; from < bytes.length; from += size)
      session.numbers.push(readFrameCounter(bytes.subarray(from), job.width));
    await this.frameStore.remove(ref);
    if (this.playlistMoves) await this.publishPart(session);
    for (const watcher of this.watchers) watcher();
  }

  /** Says that a batch is nowhere, as the segmenter does. */
  async miss({ id }: TestSession, batch: number): Promise<void> {
    await publishEvent(this.redis, { type: 'missing', sessionId: id, batch });
  }

  /** Says that the playlist lists all that came so far without a gap. */
  async publishPart(session: TestSession): Promise<void> {
    const came = new Set(session.jobs.map(({ batch }) => batch));
    let batches = 0;
    while (came.has(batches)) batches++;
    await publishEvent(this.redis, {
      type: 'part',
      sessionId: session.id,
      msn: 0,
      part: 0,
      batches,
    });
  }
}

export const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
