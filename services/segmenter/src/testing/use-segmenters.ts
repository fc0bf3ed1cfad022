import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSubscription, type EventOf, type EventType } from '@facecast/shared/protocol/events';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { createLogger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { InputEnd, RenderedBatch } from '@facecast/shared/protocol/messages';
import { detectJobId, JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { samplesBefore } from '@facecast/shared/media/audio';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterEach, beforeEach } from 'vitest';
import { createSegmenterMetrics } from '../metrics.js';
import { Segmenter } from '../segmenter.js';
import { CADENCE, renderedBatch } from './cadence.js';
import {
  detailedFrames,
  numberedFrames,
  playContrasts,
  playNumbers,
  upTo,
  WIDTH,
} from './test-frames.js';
import { clicks, flashes } from './test-audio.js';
import { parseStrictly } from './strict-parser.js';

const log = createLogger('test', process.env['TEST_LOG'] ?? 'fatal');

let root: string;
export let hlsDir: string;
export let redis: Redis;
export let registry: SessionRegistry;
export let frames: DirectoryFrameStore;
export let renderedLog: RenderedBatchLog;
let leaseJobs: JobQueue<'segment'>;
export let events: EventSubscription;
const running = new Set<{ segmenter: Segmenter; redis: Redis }>();

/** A Redis that is empty, directories, and no segmenter yet, before each test; all of it goes after it. */
export function useSegmenters(): void {
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'facecast-segmenter-'));
    hlsDir = join(root, 'hls');
    redis = connectRedis(redisUrl, 'producer', log);
    await redis.flushall();
    registry = new SessionRegistry(redis);
    frames = new DirectoryFrameStore(join(root, 'frames'));
    renderedLog = new RenderedBatchLog(redis);
    leaseJobs = new JobQueue(redis, { kind: 'segment' });
    events = await EventSubscription.open(redis, log);
  });

  afterEach(async () => {
    for (const each of running) await stop(each);
    await events.close();
    await leaseJobs.close();
    redis.disconnect();
    await rm(root, { recursive: true });
  });
}

export function start() {
  const connection = connectRedis(redisUrl, 'worker', log);
  const metrics = createSegmenterMetrics();
  const segmenter = new Segmenter(
    {
      hlsDir,
      framesDir: join(root, 'frames'),
      recordingsDir: join(root, 'recordings'),
      recordingRetentionMs: 600_000,
      recordingMinFreeBytes: 0,
      cadence: CADENCE,
      windowSeconds: 30,
      retentionMs: 600_000,
      sessionsPerReplica: 4,
    },
    connection,
    metrics,
    log,
  );
  const started = { segmenter, metrics, redis: connection };
  running.add(started);
  return started;
}

export async function stop(started: { segmenter: Segmenter; redis: Redis }) {
  if (!running.delete(started)) return;
  await started.segmenter.close();
  started.redis.disconnect();
}

export async function beginSession(options: { record?: boolean } = {}): Promise<string> {
  const wanted = { mimeType: 'video/webm', effect: 'box', ...options } as const;
  const { session } = await registry.create(wanted, 10);
  await frames.openSession(session.id);
  await leaseJobs.add({ sessionId: session.id }, { jobId: session.id });
  return session.id;
}

/** What a detector leaves: the rendered batch and its entry in the log. */
export async function mark(sessionId: string, batch: number, changes: Partial<RenderedBatch> = {}) {
  const entry = renderedBatch(batch, { sessionId, ...changes });
  const scale = entry.width / WIDTH;
  const pictures = numberedFrames(entry.firstFrame, entry.frameCount, scale);
  await frames.write({ sessionId, batch, kind: 'decoded' }, pictures);
  await frames.write({ sessionId, batch, kind: 'marked' }, pictures);
  await renderedLog.append(sessionId, entry);
}

/** The same with pictures that are clear, drawn with an effect. */
export async function markClear(sessionId: string, batch: number, effect: Effect) {
  const entry = renderedBatch(batch, { sessionId, effect });
  await frames.write({ sessionId, batch, kind: 'marked' }, detailedFrames(entry.frameCount));
  await renderedLog.append(sessionId, entry);
}

/** What no detector brings in time: clear frames as they were decoded, and their job, long overdue. */
export async function leaveUnsearched(sessionId: string, batch: number, effect: Effect) {
  const { firstFrame, frameCount, width, height } = renderedBatch(batch);
  await frames.write({ sessionId, batch, kind: 'decoded' }, detailedFrames(frameCount));
  const longAgo = Date.now() - 60_000;
  const times = { capturedAt: longAgo, receivedAt: longAgo, decodedAt: longAgo };
  const detect = new JobQueue(redis, { kind: 'detect' });
  await detect.add(
    { sessionId, batch, firstFrame, frameCount, width, height, samples: 0, effect, ...times },
    { jobId: detectJobId({ sessionId, batch }) },
  );
  await detect.close();
}

/** What a gateway does when a publisher wants viewers to be protected in another way. */
export async function wish(sessionId: string, wanted: { hidden: boolean } | { effect: Effect }) {
  await registry.update(sessionId, wanted);
  await renderedLog.append(sessionId, { kind: 'wish changed' });
}

/** What a session's recording says of how viewers were protected. */
export const recordedProtection = async (sessionId: string): Promise<unknown> =>
  JSON.parse(await readFile(join(root, 'recordings', sessionId, 'protection.json'), 'utf8'));

/** Of each frame that can be played: whether it is clear. */
export const clearFrames = async (sessionId: string) =>
  (await playContrasts(playlistPath(sessionId))).map((contrast) => contrast > 100);
export const times = <Value>(count: number, value: Value): Value[] =>
  Array(count).fill(value) as Value[];

/** The same with pictures and sound that can be compared. */
export async function markWithSound(sessionId: string, batch: number) {
  const samples = samplesBefore(CADENCE.framesPerBatch, CADENCE.fps);
  const entry = renderedBatch(batch, { sessionId, samples });
  const { firstFrame, frameCount } = entry;
  await frames.write({ sessionId, batch, kind: 'sound' }, clicks(firstFrame, frameCount));
  await frames.write({ sessionId, batch, kind: 'marked' }, flashes(firstFrame, frameCount));
  await renderedLog.append(sessionId, entry);
}

export async function endInput(sessionId: string, batches: number, more: Partial<InputEnd> = {}) {
  await renderedLog.append(sessionId, { kind: 'end', batches, frames: batches * 3, ...more });
}

/** The next event of a type, of one session, that `wanted` agrees to. */
export function next<Type extends EventType>(
  type: Type,
  sessionId: string,
  wanted: (event: EventOf<Type>) => boolean = () => true,
): Promise<EventOf<Type>> {
  return new Promise((resolve) => {
    const off = events.on((event) => {
      if (event.type !== type || event.sessionId !== sessionId) return;
      if (!wanted(event as EventOf<Type>)) return;
      off();
      resolve(event as EventOf<Type>);
    });
  });
}

export const published = (sessionId: string, batches: number) =>
  next('part', sessionId, (event) => event.batches >= batches);
export const playlistPath = (sessionId: string) => join(hlsDir, sessionId, 'live.m3u8');
export const playlist = async (sessionId: string) =>
  parseStrictly(await readFile(playlistPath(sessionId), 'utf8'));
export const discontinuities = async (sessionId: string) =>
  (await playlist(sessionId)).segments.filter(({ discontinuity }) => discontinuity).length;

/** The frames of the segments that have this initialization section. */
export async function playWithInit(sessionId: string, init: string) {
  const { segments } = await playlist(sessionId);
  const names = segments.filter(({ map }) => map.uri === init).map(({ uri }) => uri);
  const contents = [init, ...names].map((name) => readFile(join(hlsDir, sessionId, name)));
  const path = join(root, `from-${init}`);
  await writeFile(path, Buffer.concat(await Promise.all(contents)));
  return playNumbers(path);
}

/** Keys of a session that are left in Redis. */
export const keysOf = async (sessionId: string) => redis.keys(`*${sessionId}*`);

/** Numbers in an order that is neither theirs nor too wild. */
export const shuffled = (count: number) =>
  upTo(count).sort((a, b) => a + ((a * 7) % 5) - (b + ((b * 7) % 5)));

export async function killEncoders() {
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  for (const pid of children.trim().split(' ').map(Number)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.startsWith('ffmpeg')) process.kill(pid, 'SIGKILL');
  }
}
