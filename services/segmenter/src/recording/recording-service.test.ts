import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import { connectRedis } from '@facecast/shared/redis/redis';
import type { Session } from '@facecast/shared/redis/session';
import { SessionRegistry } from '@facecast/shared/redis/sessions';
import { samplesBefore } from '@facecast/shared/media/audio';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Janitor } from '../cleanup/janitor.js';
import { createSegmenterMetrics } from '../metrics.js';
import { Packager } from '../hls/packager.js';
import { PartEncoder } from '../encode/part-encoder.js';
import { StatsCounter } from '../session/stats-counter.js';
import { CADENCE, CAPTURED_AT, renderedBatch } from '../testing/cadence.js';
import {
  HEIGHT,
  numberedFrames,
  playNumbers,
  probe,
  run,
  upTo,
  WIDTH,
} from '../testing/test-frames.js';
import { clicks, flashes, play } from '../testing/test-audio.js';
import { parseStrictly } from '../testing/strict-parser.js';
import { TimelineFile } from '../hls/timeline-file.js';
import type { SessionRecorder } from './session-recorder.js';
import { RecordingService } from './recording-service.js';

const FACE = { id: 3, x: 10, y: 20, width: 30, height: 40, score: 0.5 };
const SESSION = {
  id: 'session',
  record: true,
  createdAt: CAPTURED_AT,
  resumeTokenHash: 'hash',
} as Session;

let root: string;
let live: string;
let folder: string;
let encoder: PartEncoder;
let packager: Packager;
let timeline: TimelineFile;
let recorder: SessionRecorder | undefined;
let recordings: RecordingService;
let metrics: ReturnType<typeof createSegmenterMetrics>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facecast-recording-'));
  live = join(root, 'hls', SESSION.id);
  folder = join(root, 'recordings', SESSION.id);
  await mkdir(live, { recursive: true });
  metrics = createSegmenterMetrics();
  await hold();
});

afterEach(async () => {
  await encoder.close();
  await rm(root, { recursive: true });
});

/** Takes the session up as a segmenter does, be it new or left by another. */
async function hold(options: { minFreeBytes?: number; maxFinishMs?: number } = {}) {
  const log = createLogger('test', 'fatal');
  recordings = new RecordingService({
    hlsDir: join(root, 'hls'),
    recordingsDir: join(root, 'recordings'),
    ...{ cadence: CADENCE, minFreeBytes: 0, metrics, log, ...options },
  });
  const read = (batch: number) => Promise.resolve(clicks(batch * 3, 3));
  encoder = new PartEncoder({
    ...{ cadence: CADENCE, hasAudio: undefined, audioSource: { read, readNew: read }, log },
    onReplaced: () => {},
  });
  packager = await Packager.open(live, { cadence: CADENCE, windowSeconds: 30 });
  const firstFrame = packager.frames;
  timeline = await TimelineFile.open(join(live, 'faces.ndjson'), {
    ...{ fps: 30, firstFrame, volume: { write: (attempt) => attempt() } },
  });
  recorder = recordings.record(SESSION);
}

/** Publishes batches of numbered pictures, or of what else is given; each third frame has a face. */
async function publish(batches: number, picture: (first: number) => Buffer = numbered, scale = 1) {
  for (let left = batches; left > 0; left--) {
    const faces = (n: number) => (n === 0 ? [FACE] : []);
    const batch = renderedBatch(packager.batches, {
      ...{ width: WIDTH * scale, height: HEIGHT * scale },
      samples: picture === flashing ? samplesBefore(3, 30) : 0,
      frames: [0, 1, 2].map((n) => ({ searched: true, hidden: false, faces: faces(n) })),
    });
    const { content, init } = await encoder.encode(batch, picture(batch.firstFrame));
    if (init) packager.begin(init);
    await timeline.append(batch);
    const { firstFrame, frameCount: frames, capturedAt } = batch;
    await packager.add({ firstFrame, frames, capturedAt }, content);
    recorder?.update(packager.segments);
  }
}

const numbered = (first: number) => numberedFrames(first, 3);
const twiceAsLarge = (first: number) => numberedFrames(first, 3, 2);
const flashing = (first: number) => flashes(first, 3);

/** Ends the session; then nothing of its live playlist is left. */
async function end() {
  await packager.end();
  const stats = {
    ...new StatsCounter(SESSION.id, 30).snapshot('ended'),
    framesOut: packager.frames,
  };
  const state = await recordings.finish(stats, packager.segments);
  await rm(live, { recursive: true });
  return state;
}

/** What a killed segmenter leaves: its encoders are gone, and nobody was told. */
async function kill() {
  await recorder?.close();
  await encoder.close();
}

const file = (name: string) => join(folder, name);
const playlist = async () => parseStrictly(await readFile(file('recording.m3u8'), 'utf8'));
const playBoth = async () => [
  await playNumbers(file('recording.mp4')),
  await playNumbers(file('recording.m3u8')),
];
const facesOf = async () =>
  (await readFile(file('faces.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { frame: number }).frame);
const everyThird = (frames: number) => upTo(frames).filter((n) => n % 3 === 0);

describe('a recording', () => {
  test('has every frame once, in one MP4 and in a playlist, and its faces', async () => {
    await publish(35);
    expect(await end()).toBe('on');
    expect(await playBoth()).toEqual([upTo(105), upTo(105)]);
    expect(await facesOf()).toEqual(everyThird(105));
    const list = await playlist();
    expect(list).toMatchObject({ playlistType: 'EVENT', endlist: true });
    expect(list.segments.map(({ duration }) => duration)).toEqual([1, 1, 1, 0.5]);
    expect(list.segments[0]?.programDateTime?.getTime()).toBe(CAPTURED_AT);
  });

  test('is an MP4 that says how long it is, and in which one can seek', async () => {
    await publish(35);
    await end();
    const format = await probe(file('recording.mp4'), '-show_entries', 'format=duration');
    expect(format).toMatchObject({ format: { duration: '3.500000' } });
    const { stdout } = await seen('-read_intervals', '2.5%+#1');
    expect(stdout).toBe('2.000000');
    expect(await playNumbers(file('recording.mp4'), '-ss', '2')).toEqual(
      upTo(105).filter((n) => n >= 60),
    );
  });

  test('is heard when it is seen', async () => {
    await publish(32, flashing);
    await end();
    for (const name of ['recording.mp4', 'recording.m3u8']) {
      const played = await play(file(name));
      expect(played.flashes.map(Math.round)).toEqual([0, 1, 2, 3]);
      played.clicks.forEach((at, n) => expect(Math.abs(at - n)).toBeLessThan(0.02));
      expect(played.clicks).toHaveLength(4);
    }
  });

  test('of a session whose segmenters were killed goes on where it was', async () => {
    await publish(17);
    await kill();
    await hold();
    await publish(14);
    await kill();
    await hold();
    await publish(4);
    await end();
    expect(await playBoth()).toEqual([upTo(105), upTo(105)]);
    expect(await facesOf()).toEqual(everyThird(105));
    // The same encoder, on the same time line: nothing begins anew for who plays it.
    expect((await playlist()).segments.some(({ discontinuity }) => discontinuity)).toBe(false);
  });

  test.each([
    ['media', 'recording.mp4'],
    ['faces', 'faces.ndjson'],
    ['playlist', 'recording.m3u8'],
  ])('whose writer was killed while it wrote %s has nothing twice', async (_, torn) => {
    await publish(12);
    await recorder?.settled();
    await kill();
    await appendFile(file(torn), torn === 'faces.ndjson' ? '{"frame":30,"t"' : '#EXTINF:1.00');
    await hold();
    await publish(13);
    await end();
    expect(await playBoth()).toEqual([upTo(75), upTo(75)]);
    expect(await facesOf()).toEqual(everyThird(75));
  });

  test('plays on where an encoder needs other words to describe its pictures', async () => {
    await publish(12);
    await publish(12, twiceAsLarge, 2);
    await end();
    expect(await playNumbers(file('recording.mp4'))).toEqual(upTo(72));
    // ffmpeg's HLS reader cannot change the size on its way.
    const { segments } = await playlist();
    expect(segments.map(({ discontinuity }) => discontinuity ?? false)).toEqual([
      ...[false, false, true, false],
    ]);
  });

  test('can be played while it grows', async () => {
    await publish(25);
    await recorder?.settled();
    expect(await playNumbers(file('recording.mp4'))).toEqual(upTo(60));
    expect(await playlist()).toMatchObject({ endlist: false, segments: [{}, {}] });
  });

  test('that was finished can be finished again, with the same outcome', async () => {
    await publish(12);
    await packager.end();
    const stats = new StatsCounter(SESSION.id, 30).snapshot('ended');
    await recordings.finish(stats, packager.segments);
    const once = await readFile(file('recording.mp4'));
    await recordings.finish(stats, packager.segments);
    expect((await readFile(file('recording.mp4'))).equals(once)).toBe(true);
    expect(await playBoth()).toEqual([upTo(36), upTo(36)]);
  });
});

describe('where it cannot be recorded', () => {
  test('because the disk is almost full, it ends, is said so, and live goes on', async () => {
    await publish(15);
    await recorder?.settled();
    await kill();
    await hold({ minFreeBytes: Number.MAX_SAFE_INTEGER });
    await publish(15);
    await recorder?.settled();
    expect(recorder?.state).toBe('stopped');
    expect((await metrics.recordingsStopped.get()).values[0]?.value).toBe(1);
    expect(packager.frames).toBe(90);
    expect(await end()).toBe('stopped');
    expect(await playBoth()).toEqual([upTo(30), upTo(30)]);
  });

  test('because segments are gone before the disk took them, it ends there', async () => {
    await publish(15);
    await recorder?.close();
    await publish(15);
    await rm(join(live, '2.m4s'));
    expect(await end()).toBe('stopped');
    expect(await playBoth()).toEqual([upTo(30), upTo(30)]);
  });

  test.each([
    [11, 'on'],
    [12, 'stopped'],
  ])('after %d hours it is %s, and live goes on', async (hours, state) => {
    await publish(15);
    await recorder?.settled();
    await kill();
    const text = await readFile(file('recording.m3u8'), 'utf8');
    const [, last = ''] = /.*(#EXTINF:[\d.]+)/s.exec(text) ?? [];
    await writeFile(file('recording.m3u8'), text.replace(last, `#EXTINF:${hours * 3600}.00000`));
    await hold();
    await publish(15);
    await recorder?.settled();
    expect(recorder?.state).toBe(state);
    expect(packager.frames).toBe(90);
  });

  test('because the disk hangs, the session ends all the same, and it is finished when the disk is back', async () => {
    await kill();
    await hold({ maxFinishMs: 20 });
    await publish(25);
    await recorder?.settled();
    const about = await readFile(file('recording.json'));
    await rm(file('recording.json'));
    // Whoever opens it waits for a writer.
    await run('mkfifo', [file('recording.json')]);
    await packager.end();
    const last = new StatsCounter(SESSION.id, 30).snapshot('ended');
    for (let tries = 0; tries < 3; tries++) await recordings.finish(last, packager.segments);
    expect(await readdir(folder)).not.toContain('session.json');
    await writeFile(file('recording.json'), about);
    await expect.poll(() => readdir(folder)).toContain('session.json');
    expect(await playBoth()).toEqual([upTo(75), upTo(75)]);
  });

  test('because there is no such directory, live goes on', async () => {
    await rm(join(root, 'recordings'), { recursive: true, force: true });
    await appendFile(join(root, 'recordings'), 'a file');
    await publish(12);
    await recorder?.settled();
    expect(recorder?.state).toBe('stopped');
    expect(await end()).toBe('off');
  });

  test('because no session asked for it, there is nothing', async () => {
    recorder = recordings.record({ ...SESSION, record: false });
    expect(recorder).toBeUndefined();
  });
});

describe('in the course of time', () => {
  test('what nobody finished is finished, then removed after the retention', async () => {
    const redis = connectRedis(redisUrl, 'producer', createLogger('test', 'fatal'));
    try {
      await redis.flushall();
      const registry = new SessionRegistry(redis);
      await publish(25);
      await recorder?.settled();
      await kill();
      await rm(live, { recursive: true });
      await recordings.finishOrphans(registry);
      expect(await playBoth()).toEqual([upTo(60), upTo(60)]);
      expect((await playlist()).endlist).toBe(true);
      const { mtimeMs } = await stat(file('session.json'));
      const log = createLogger('test', 'fatal');
      const janitor = new Janitor(join(root, 'recordings'), 3_600_000, registry, log);
      await janitor.sweep(mtimeMs + 3_500_000);
      expect(await readdir(join(root, 'recordings'))).toEqual([SESSION.id]);
      await janitor.sweep(mtimeMs + 3_700_000);
      expect(await readdir(join(root, 'recordings'))).toEqual([]);
    } finally {
      redis.disconnect();
    }
  });

  test('what a power cut left incomplete on the disk is played as far as it goes', async () => {
    await publish(25);
    await recorder?.settled();
    await kill();
    const { size } = await stat(file('recording.mp4'));
    await truncate(file('recording.mp4'), size - 1_000);
    await truncate(file('recording.mp4'), size);
    await rm(live, { recursive: true });
    const stats = new StatsCounter(SESSION.id, 30).snapshot('ended');
    await recordings.finish(stats, []);
    expect((await stat(file('recording.mp4'))).size).toBeGreaterThan(size);
  });
});

async function seen(...options: string[]) {
  const args = ['-v', 'error', '-select_streams', 'v', ...options];
  const output = ['-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file('recording.mp4')];
  return { stdout: (await run('ffprobe', [...args, ...output])).toString().trim() };
}
