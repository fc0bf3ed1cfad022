import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSubscription, type EventOf, type EventType } from '@facecast/shared/protocol/events';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { createLogger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { InputEnd, RenderedBatch } from '@facecast/shared/protocol/messages';
import { JobQueue } from '@facecast/shared/redis/queues';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/sessions';
import { samplesBefore } from '@facecast/shared/media/audio';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSegmenterMetrics } from './metrics.js';
import { Segmenter } from './segmenter.js';
import { AAC_FRAME_SAMPLES } from './encode/audio-encoder.js';
import { CADENCE, renderedBatch } from './testing/cadence.js';
import {
  detailedFrames,
  HEIGHT,
  numberedFrames,
  playContrasts,
  playNumbers,
  upTo,
  WIDTH,
} from './testing/test-frames.js';
import { clicks, flashes, play } from './testing/test-audio.js';
import { parseStrictly } from './testing/strict-parser.js';

const log = createLogger('test', process.env['TEST_LOG'] ?? 'fatal');

let root: string;
let hlsDir: string;
let redis: Redis;
let registry: SessionRegistry;
let frames: DirectoryFrameStore;
let renderedLog: RenderedBatchLog;
let claims: JobQueue<'segment'>;
let events: EventSubscription;
const running = new Set<{ segmenter: Segmenter; redis: Redis }>();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facecast-segmenter-'));
  hlsDir = join(root, 'hls');
  redis = connectRedis(redisUrl, 'producer', log);
  await redis.flushall();
  registry = new SessionRegistry(redis);
  frames = new DirectoryFrameStore(join(root, 'frames'));
  renderedLog = new RenderedBatchLog(redis);
  claims = new JobQueue(redis, { kind: 'segment' });
  events = await EventSubscription.open(redis, log);
});

afterEach(async () => {
  for (const each of running) await stop(each);
  await events.close();
  await claims.close();
  redis.disconnect();
  await rm(root, { recursive: true });
});

function start() {
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

async function stop(started: { segmenter: Segmenter; redis: Redis }) {
  if (!running.delete(started)) return;
  await started.segmenter.close();
  started.redis.disconnect();
}

async function beginSession(): Promise<string> {
  const { session } = await registry.create({ mimeType: 'video/webm', effect: 'box' }, 10);
  await frames.openSession(session.id);
  await claims.add({ sessionId: session.id }, { jobId: session.id });
  return session.id;
}

/** What a detector leaves: the rendered batch and its entry in the log. */
async function mark(sessionId: string, batch: number, changes: Partial<RenderedBatch> = {}) {
  const entry = renderedBatch(batch, { sessionId, ...changes });
  const scale = entry.width / WIDTH;
  const pictures = numberedFrames(entry.firstFrame, entry.frameCount, scale);
  await frames.write({ sessionId, batch, kind: 'decoded' }, pictures);
  await frames.write({ sessionId, batch, kind: 'marked' }, pictures);
  await renderedLog.append(sessionId, entry);
}

/** The same with pictures that are clear, drawn with an effect. */
async function markClear(sessionId: string, batch: number, effect: Effect) {
  const entry = renderedBatch(batch, { sessionId, effect });
  await frames.write({ sessionId, batch, kind: 'marked' }, detailedFrames(entry.frameCount));
  await renderedLog.append(sessionId, entry);
}

/** What a gateway does when a publisher wants viewers to be protected in another way. */
async function wish(sessionId: string, wanted: { hidden: boolean } | { effect: Effect }) {
  await registry.update(sessionId, wanted);
  await renderedLog.append(sessionId, { kind: 'wish changed' });
}

/** Of each frame that can be played: whether it is clear. */
const clearFrames = async (sessionId: string) =>
  (await playContrasts(playlistPath(sessionId))).map((contrast) => contrast > 100);
const times = <Value>(count: number, value: Value): Value[] => Array(count).fill(value) as Value[];

/** The same with pictures and sound that can be compared. */
async function markWithSound(sessionId: string, batch: number) {
  const samples = samplesBefore(CADENCE.framesPerBatch, CADENCE.fps);
  const entry = renderedBatch(batch, { sessionId, samples });
  const { firstFrame, frameCount } = entry;
  await frames.write({ sessionId, batch, kind: 'sound' }, clicks(firstFrame, frameCount));
  await frames.write({ sessionId, batch, kind: 'marked' }, flashes(firstFrame, frameCount));
  await renderedLog.append(sessionId, entry);
}

async function endInput(sessionId: string, batches: number, more: Partial<InputEnd> = {}) {
  await renderedLog.append(sessionId, { kind: 'end', batches, frames: batches * 3, ...more });
}

/** The next event of a type, of one session, that `wanted` agrees to. */
function next<Type extends EventType>(
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

const published = (sessionId: string, batches: number) =>
  next('part', sessionId, (event) => event.batches >= batches);
const playlistPath = (sessionId: string) => join(hlsDir, sessionId, 'live.m3u8');
const playlist = async (sessionId: string) =>
  parseStrictly(await readFile(playlistPath(sessionId), 'utf8'));
const discontinuities = async (sessionId: string) =>
  (await playlist(sessionId)).segments.filter(({ discontinuity }) => discontinuity).length;

/** The frames of the segments that have this initialization section. */
async function playWithInit(sessionId: string, init: string) {
  const { segments } = await playlist(sessionId);
  const names = segments.filter(({ map }) => map.uri === init).map(({ uri }) => uri);
  const contents = [init, ...names].map((name) => readFile(join(hlsDir, sessionId, name)));
  const path = join(root, `from-${init}`);
  await writeFile(path, Buffer.concat(await Promise.all(contents)));
  return playNumbers(path);
}

/** Keys of a session that are left in Redis. */
const keysOf = async (sessionId: string) => redis.keys(`*${sessionId}*`);

/** Numbers in an order that is neither theirs nor too wild. */
const shuffled = (count: number) =>
  upTo(count).sort((a, b) => a + ((a * 7) % 5) - (b + ((b * 7) % 5)));

describe('once its publisher hides everything', () => {
  test('not one frame that was not published yet is clear, until it is shown again', async () => {
    start();
    const sessionId = await beginSession();
    const before = published(sessionId, 10);
    for (const batch of upTo(10)) await markClear(sessionId, batch, 'box');
    await before;
    // These wait for batch 10: they were drawn before the wish, and are published after it.
    for (const batch of [11, 12, 13]) await markClear(sessionId, batch, 'box');
    await wish(sessionId, { hidden: true });
    const hidden = published(sessionId, 20);
    for (const batch of [10, 14, 15, 16, 17, 18, 19]) await markClear(sessionId, batch, 'box');
    await hidden;
    await wish(sessionId, { hidden: false });
    const ended = next('ended', sessionId);
    for (const batch of upTo(24).slice(20)) await markClear(sessionId, batch, 'box');
    await endInput(sessionId, 24);
    await ended;
    expect(await clearFrames(sessionId)).toEqual([
      ...times(30, true),
      ...times(30, false),
      ...times(12, true),
    ]);
  });

  test('it stays so when another segmenter goes on, and the stats say since which frame', async () => {
    const first = start();
    const sessionId = await beginSession();
    const before = published(sessionId, 10);
    for (const batch of upTo(10)) await markClear(sessionId, batch, 'box');
    await before;
    const told = next('stats', sessionId, ({ stats }) => stats.shown?.hidden === true);
    await wish(sessionId, { hidden: true });
    await markClear(sessionId, 10, 'box');
    const { stats } = await told;
    expect(stats).toMatchObject({ recent: { hidden: 3 }, shown: { sinceFrame: 30 } });
    await stop(first);
    start();
    const ended = next('ended', sessionId);
    for (const batch of upTo(14).slice(11)) await markClear(sessionId, batch, 'box');
    await endInput(sessionId, 14);
    await ended;
    expect(await clearFrames(sessionId)).toEqual([...times(30, true), ...times(12, false)]);
  });
});

describe('a stronger effect', () => {
  test('hides as a whole what was drawn with a weaker one and is not published', async () => {
    start();
    const sessionId = await beginSession();
    const before = published(sessionId, 10);
    for (const batch of upTo(10)) await markClear(sessionId, batch, 'box');
    await before;
    const told = next('stats', sessionId, ({ stats }) => stats.shown?.effect === 'blur');
    await wish(sessionId, { effect: 'blur' });
    await markClear(sessionId, 10, 'box');
    await markClear(sessionId, 11, 'blur');
    expect((await told).stats.shown).toMatchObject({ hidden: false, sinceFrame: 30 });
    // A weaker one waits until it is drawn.
    const after = next('stats', sessionId, ({ stats }) => stats.shown?.effect === 'none');
    await wish(sessionId, { effect: 'none' });
    await markClear(sessionId, 12, 'blur');
    await markClear(sessionId, 13, 'none');
    expect((await after).stats.shown).toMatchObject({ sinceFrame: 39 });
    const ended = next('ended', sessionId);
    await endInput(sessionId, 14);
    await ended;
    expect(await clearFrames(sessionId)).toEqual([
      ...times(30, true),
      ...times(3, false),
      ...times(9, true),
    ]);
  });
});

describe('a session', () => {
  test('comes out with every frame, once and in order, whatever order its batches came in', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    for (const batch of shuffled(50)) await mark(sessionId, batch);
    await endInput(sessionId, 50);
    expect(await ended).toEqual({ type: 'ended', sessionId, frames: 150 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(150));
    expect(await playlist(sessionId)).toMatchObject({ endlist: true });
  });

  test('leaves its playlist and summary, and nothing else', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    for (const batch of upTo(12)) await mark(sessionId, batch);
    await endInput(sessionId, 12);
    await ended;
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
    expect(await frames.sessions()).toEqual([]);
    const names = await readdir(join(hlsDir, sessionId));
    expect(names.filter((name) => !/^(\d+(\.\d+)?\.m4s|init-0\.mp4)$/.test(name)).sort()).toEqual([
      'faces.ndjson',
      'live.m3u8',
      'session.json',
    ]);
    expect(
      JSON.parse(await readFile(join(hlsDir, sessionId, 'session.json'), 'utf8')),
    ).toMatchObject({
      sessionId,
      state: 'ended',
      framesIn: 36,
      framesOut: 36,
      width: WIDTH,
      height: HEIGHT,
    });
  });

  test('is announced once when its playlist is there, and each part when it is listed', async () => {
    start();
    const sessionId = await beginSession();
    const told: string[] = [];
    events.on((event) => {
      if (event.type === 'playlist_ready') told.push(event.playlistUrl);
      if (event.type === 'part') told.push(`${event.msn}.${event.part}`);
    });
    const ready = next('playlist_ready', sessionId);
    await mark(sessionId, 0);
    await ready;
    expect(await playlist(sessionId)).toMatchObject({ endlist: false });
    for (const batch of upTo(12).slice(1)) {
      const part = next('part', sessionId);
      await mark(sessionId, batch);
      expect(await part).toMatchObject({ batches: batch + 1 });
    }
    expect(told.filter((each) => each.startsWith('/'))).toEqual([`/hls/${sessionId}/live.m3u8`]);
    expect(told.filter((each) => !each.startsWith('/'))).toEqual([
      ...upTo(10).map((part) => `1.${part}`),
      '2.0',
      '2.1',
    ]);
  });

  test('has a batch removed only once it is listed', async () => {
    start();
    const sessionId = await beginSession();
    const first = published(sessionId, 1);
    await mark(sessionId, 0);
    await mark(sessionId, 2);
    await first;
    const second = published(sessionId, 3);
    expect(await frames.read({ sessionId, batch: 2, kind: 'marked' })).toBeDefined();
    await mark(sessionId, 1);
    await second;
    const ended = next('ended', sessionId);
    await endInput(sessionId, 3);
    await ended;
  });

  test('shows a repeated batch once, and keeps nothing of it', async () => {
    start();
    const sessionId = await beginSession();
    for (const batch of [1, 1, 0, 0, 2]) await mark(sessionId, batch);
    const all = published(sessionId, 4);
    await mark(sessionId, 1);
    await mark(sessionId, 3);
    await all;
    const ended = next('ended', sessionId);
    await endInput(sessionId, 4);
    await ended;
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(12));
  });

  test('tells its stats about once a second, and the registry knows them', async () => {
    start();
    const sessionId = await beginSession();
    const stats = next('stats', sessionId, (event) => event.stats.framesOut === 9);
    const face = { id: 0, x: 1, y: 2, width: 3, height: 4, score: 1 };
    await mark(sessionId, 0);
    await mark(sessionId, 1, {
      frames: upTo(3).map(() => ({ searched: false, hidden: false, faces: [] })),
    });
    await mark(sessionId, 2, {
      frames: upTo(3).map(() => ({ searched: true, hidden: false, faces: [face] })),
    });
    expect((await stats).stats).toMatchObject({ state: 'live', framesUndetected: 3, faces: 1 });
    const again = next('stats', sessionId);
    await again;
    expect(await registry.get(sessionId)).toMatchObject({
      state: 'live',
      stats: { framesOut: 9, width: WIDTH },
    });
    const timeline = await readFile(join(hlsDir, sessionId, 'faces.ndjson'), 'utf8');
    expect(
      timeline
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { frame: number }).frame),
    ).toEqual([6, 7, 8]);
  });

  test("changes its picture's size with a discontinuity", async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    const larger = { width: WIDTH * 2, height: HEIGHT * 2 };
    for (const batch of upTo(14)) await mark(sessionId, batch);
    for (const batch of upTo(30).slice(14)) await mark(sessionId, batch, larger);
    await endInput(sessionId, 30);
    await ended;
    expect(await discontinuities(sessionId)).toBe(1);
    // ffmpeg's HLS reader cannot change the size on its way, so each half is played by itself.
    expect(await playWithInit(sessionId, 'init-0.mp4')).toEqual(upTo(42));
    expect(await playWithInit(sessionId, 'init-1.mp4')).toEqual(upTo(90).slice(42));
  });

  test('may end with a batch that is not whole', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    await mark(sessionId, 0);
    await mark(sessionId, 1, {
      frameCount: 1,
      frames: [{ searched: true, hidden: false, faces: [] }],
    });
    await endInput(sessionId, 2, { frames: 4 });
    expect(await ended).toMatchObject({ frames: 4 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(4));
  });

  test('does not touch another that runs beside it', async () => {
    start();
    const sessions = [await beginSession(), await beginSession()];
    const ended = Promise.all(sessions.map((sessionId) => next('ended', sessionId)));
    for (const batch of shuffled(25))
      for (const sessionId of sessions) await mark(sessionId, batch);
    for (const sessionId of sessions) await endInput(sessionId, 25);
    await ended;
    for (const sessionId of sessions)
      expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(75));
  });
});

describe('a session with sound', () => {
  const heard = async (sessionId: string, batch: number) =>
    (await frames.read({ sessionId, batch, kind: 'sound' })) !== undefined;

  test('is heard in step with its pictures, also after another replica took it over', async () => {
    const first = start();
    const sessionId = await beginSession();
    const begun = published(sessionId, 13);
    for (const batch of upTo(17)) await markWithSound(sessionId, batch);
    await begun;
    await stop(first);
    start();
    const ended = next('ended', sessionId);
    for (const batch of upTo(42).slice(17)) await markWithSound(sessionId, batch);
    await endInput(sessionId, 42);
    expect(await ended).toMatchObject({ frames: 126 });
    expect(await discontinuities(sessionId)).toBe(1);
    const played = await play(playlistPath(sessionId));
    expect(played.clicks).toHaveLength(5);
    played.clicks.forEach((at, second) => {
      expect(played.flashes[second]).toBeCloseTo(second, 3);
      expect(Math.abs(at - second)).toBeLessThan(0.02);
    });
    expect(4.2 - played.sound.to).toBeLessThan(0.065);
    expect(played.longestSilence).toBeLessThan(AAC_FRAME_SAMPLES);
  });

  test("keeps a batch's sound for as long as a new encoder would need it", async () => {
    start();
    const sessionId = await beginSession();
    const listed = published(sessionId, 5);
    for (const batch of upTo(5)) await markWithSound(sessionId, batch);
    await listed;
    const left = async () => Promise.all(upTo(5).map((batch) => heard(sessionId, batch)));
    await expect.poll(left).toEqual([false, false, false, false, true]);
    const ended = next('ended', sessionId);
    await endInput(sessionId, 5);
    await ended;
  });
});

describe('a session that fails', () => {
  test('without a frame leaves no folder', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    const error = { code: 'unsupported_media', message: 'No video.' } as const;
    await endInput(sessionId, 0, { error });
    expect(await ended).toEqual({ type: 'ended', sessionId, frames: 0, error });
    expect(await readdir(hlsDir).catch(() => [])).toEqual([]);
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
  });

  test('in its midst ends with what it has, and says why', async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    const error = { code: 'unsupported_media', message: 'The video is damaged.' } as const;
    for (const batch of upTo(4)) await mark(sessionId, batch);
    await endInput(sessionId, 4, { error });
    expect(await ended).toMatchObject({ frames: 12, error });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(12));
    expect(
      JSON.parse(await readFile(join(hlsDir, sessionId, 'session.json'), 'utf8')),
    ).toMatchObject({ state: 'ended', error });
  });

  test("for want of a batch's file ends instead of hanging", async () => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    await mark(sessionId, 0);
    await renderedLog.append(sessionId, renderedBatch(1, { sessionId }));
    expect(await ended).toMatchObject({ frames: 3, error: { code: 'internal' } });
    expect(await playlist(sessionId)).toMatchObject({ endlist: true });
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
  });
});

describe('a session that cannot go on', () => {
  test.each([
    ['before the end of the input', false],
    ['after the end of the input', true],
  ])('for want of a batch is ended, %s', async (_, inputEnded) => {
    start();
    const sessionId = await beginSession();
    const ended = next('ended', sessionId);
    for (const batch of [0, 1, 3]) await mark(sessionId, batch);
    if (inputEnded) await endInput(sessionId, 4);
    expect(await ended).toMatchObject({ frames: 6, error: { code: 'internal' } });
    expect(await playlist(sessionId)).toMatchObject({ endlist: true });
    expect(await frames.sessions()).toEqual([]);
  });

  test('for want of its folder is ended', async () => {
    start();
    const sessionId = await beginSession();
    const some = published(sessionId, 3);
    for (const batch of upTo(3)) await mark(sessionId, batch);
    await some;
    const ended = next('ended', sessionId);
    await rm(join(hlsDir, sessionId), { recursive: true });
    await mark(sessionId, 3);
    expect(await ended).toMatchObject({ error: { code: 'internal' } });
    await expect.poll(() => keysOf(sessionId)).toEqual([]);
  });

  test('for a playlist that cannot be read is given up, and told of', async () => {
    const sessionId = await beginSession();
    await mkdir(join(hlsDir, sessionId), { recursive: true });
    await writeFile(playlistPath(sessionId), 'no playlist');
    const ended = next('ended', sessionId);
    start();
    expect(await ended).toMatchObject({ error: { code: 'internal' } });
    expect(await registry.ids()).toEqual([]);
  });
});

describe('a batch that was lost on its way', () => {
  /** Somebody decodes the session, and could make it again. */
  async function decode(sessionId: string) {
    const decoding = new JobQueue(redis, { kind: 'decode' });
    await decoding.add({ sessionId }, { jobId: sessionId });
    await decoding.close();
  }

  test.each([
    ['that others wait for', async () => {}],
    ['of which there is an entry and no frames', lostFrames],
  ])('%s, is asked for until it comes, and no frame is lost', async (_, happens) => {
    start();
    const sessionId = await beginSession();
    await decode(sessionId);
    const asked = next('missing', sessionId);
    for (const batch of [0, 2, 3]) await mark(sessionId, batch);
    await happens(sessionId);
    expect(await asked).toMatchObject({ batch: 1 });
    expect(await next('missing', sessionId)).toMatchObject({ batch: 1 });
    const ended = next('ended', sessionId);
    await mark(sessionId, 1);
    await endInput(sessionId, 4);
    expect(await ended).toEqual({ type: 'ended', sessionId, frames: 12 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(12));
  });

  async function lostFrames(sessionId: string) {
    await renderedLog.append(sessionId, renderedBatch(1, { sessionId }));
  }
});

describe('a fault', () => {
  test('of the encoder costs no frame', async () => {
    const { metrics } = start();
    const sessionId = await beginSession();
    for (const killedAfter of [7, 20]) {
      const some = published(sessionId, killedAfter);
      for (const batch of upTo(killedAfter)) await mark(sessionId, batch);
      await some;
      await killEncoders();
    }
    const ended = next('ended', sessionId);
    for (const batch of upTo(33)) await mark(sessionId, batch);
    await endInput(sessionId, 33);
    expect(await ended).toMatchObject({ frames: 99 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(99));
    expect(await discontinuities(sessionId)).toBe(2);
    expect((await metrics.encoderReplacements.get()).values[0]?.value).toBe(2);
  });

  test('of the claim, which the same replica wins again, costs no frame', async () => {
    start();
    const sessionId = await beginSession();
    const some = published(sessionId, 14);
    for (const batch of upTo(14)) await mark(sessionId, batch);
    await some;
    await redis.del(`facecast:queue:segment:${sessionId}:lock`);
    const wonAgain = published(sessionId, 15);
    const waiting = expect.poll(() => redis.exists(`facecast:queue:segment:${sessionId}:lock`), {
      timeout: 60_000,
    });
    await waiting.toBe(1);
    for (const batch of upTo(25)) await mark(sessionId, batch);
    await wonAgain;
    const ended = next('ended', sessionId);
    await endInput(sessionId, 25);
    expect(await ended).toMatchObject({ frames: 75 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(75));
    expect(await discontinuities(sessionId)).toBe(1);
  });

  test('a replica that stops hands over, and no frame is lost or seen twice', async () => {
    const first = start();
    const sessionId = await beginSession();
    const begun = published(sessionId, 13);
    const marking = (async () => {
      for (const batch of shuffled(60)) await mark(sessionId, batch);
      await endInput(sessionId, 60);
    })();
    await begun;
    const ended = next('ended', sessionId);
    await stop(first);
    const before = await playlist(sessionId);
    start();
    await marking;
    expect(await ended).toMatchObject({ frames: 180 });
    expect(await playNumbers(playlistPath(sessionId))).toEqual(upTo(180));
    const after = await playlist(sessionId);
    expect(after.segments.map(({ mediaSequenceNumber }) => mediaSequenceNumber)).toEqual(
      after.segments.map((_, index) => 1 + index),
    );
    before.segments.slice(0, -1).forEach(({ uri }, index) => {
      expect(after.segments[index]?.uri).toBe(uri);
    });
    expect(await discontinuities(sessionId)).toBe(1);
  });
});

/** Kills the encoders that this process has started, and nothing else. */
async function killEncoders() {
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  for (const pid of children.trim().split(' ').map(Number)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.startsWith('ffmpeg')) process.kill(pid, 'SIGKILL');
  }
}
