import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as clips from './support/clips.js';
import { greenOutline, greenPlane, playFrames, surrounds } from './support/played-frames.js';
import { TestPublisher } from './support/test-publisher.js';
import { startPush } from './support/push.js';
import { flashAndClickClip, flashesAndClicks } from './support/audio-clip.js';
import { startStack, type Stack } from './support/stack.js';
import { leastFinds } from './support/session-api.js';

const run = promisify(execFile);
const SIZE = { width: clips.WIDTH, height: clips.HEIGHT };
/** Maximum offset between audio and video that the contract allows, in seconds. */
const IN_SYNC = 0.04;
const redis = new Redis(redisUrl);

let stack: Stack;
let media: string;

beforeAll(async () => {
  await redis.flushall();
  media = await mkdtemp(join(tmpdir(), 'facecast-clips-'));
  await clips.countedClip(join(media, 'counted.webm'), 300);
  await clips.countedClip(join(media, 'short.webm'), 90);
  await clips.faceClip(join(media, 'face.webm'), 6);
  await clips.facelessClip(join(media, 'faceless.webm'), 6);
  await flashAndClickClip(join(media, 'clicks.webm'), 6);
  stack = await startStack({ REDIS_URL: redisUrl });
});

afterAll(async () => {
  await stack?.stop();
  await rm(media, { recursive: true, force: true });
  await redis.quit();
});

const clip = (name: string) => readFile(join(media, name));
const playlist = (sessionId: string) => `${stack.url}/hls/${sessionId}/live.m3u8`;

/** Publishes a clip as fast as possible. */
async function publish(name: string): Promise<TestPublisher> {
  const publisher = await TestPublisher.start(stack.ingestUrl);
  await publisher.sendMedia(await clip(name));
  await publisher.stop();
  expect(await publisher.closed()).toBe(1000);
  return publisher;
}

/** Publishes a clip at its own speed, to its end; resolves to the session's id. */
async function push(name: string, effect = 'box'): Promise<string> {
  const pushed = await startPush(stack, join(media, name), { effect });
  expect(await pushed.ended).toBe(0);
  return pushed.sessionId;
}

/** The frame numbers that a session's playlist plays, in order. */
async function playedNumbers(sessionId: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const frame of playFrames(playlist(sessionId), SIZE))
    numbers.push(readFrameCounter(greenPlane(frame), SIZE.width));
  return numbers;
}

/** Names of all programs under a process, at any depth. */
async function programsOf(pid: number): Promise<string[]> {
  const { stdout } = await run('ps', ['-o', 'pid=,comm=', '--ppid', `${pid}`]).catch(() => ({
    stdout: '',
  }));
  const children = stdout.trim().split('\n').filter(Boolean);
  const below = await Promise.all(children.map((line) => programsOf(Number.parseInt(line))));
  return [...children.map((line) => line.trim().split(/\s+/)[1] ?? ''), ...below.flat()];
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('of clips that are pushed as fast as possible', () => {
  let sessions: Record<'counted' | 'clicks' | 'face' | 'faceless' | 'plain', string>;
  beforeAll(async () => {
    const [counted, clicks, face, faceless, plain] = await Promise.all([
      push('counted.webm'),
      push('clicks.webm'),
      push('face.webm'),
      push('faceless.webm'),
      push('face.webm', 'none'),
    ]);
    sessions = { counted, clicks, face, faceless, plain };
  });

  test('a WebM comes back with every frame, once, in order: 300 of 300', async () => {
    expect(await playedNumbers(sessions.counted)).toEqual(upTo(300));
  });

  test('audio and video are in sync', async () => {
    const { flashes, clicks } = await flashesAndClicks(playlist(sessions.clicks));
    expect(flashes).toHaveLength(6);
    expect(clicks).toHaveLength(6);
    clicks.forEach((at, second) => {
      expect(Math.abs(at - (flashes[second] ?? NaN))).toBeLessThan(IN_SYNC);
    });
  });

  test('faces are outlined in green in at least 95 % of the frames that have one and were searched', async () => {
    let [frames, outlined] = [0, 0];
    for await (const frame of playFrames(playlist(sessions.face), SIZE)) {
      const outline = greenOutline(frame);
      if (outline && surrounds(outline, clips.facePlace(frames))) outlined++;
      frames++;
    }
    expect(frames).toBe(180);
    expect(outlined).toBeGreaterThanOrEqual(await leastFinds(stack, sessions.face));
  });

  test('faces are in the timeline, in order, in pixels of the picture', async () => {
    const text = await (await fetch(`${stack.url}/api/sessions/${sessions.face}/faces`)).text();
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { frame: number; t: number; faces: clips.Place[] });
    expect(lines.length).toBeGreaterThanOrEqual(await leastFinds(stack, sessions.face));
    for (const { frame, t, faces } of lines) {
      expect(t).toBeCloseTo(frame / 30, 2);
      expect(surrounds(faces[0]!, clips.facePlace(frame))).toBe(true);
    }
    const numbers = lines.map(({ frame }) => frame);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  test('nothing is outlined if there is no face', async () => {
    for await (const frame of playFrames(playlist(sessions.faceless), SIZE))
      expect(greenOutline(frame)).toBeUndefined();
    const timeline = await fetch(`${stack.url}/api/sessions/${sessions.faceless}/faces`);
    expect(await timeline.text()).toBe('');
  });

  test('faces are left as they are with the effect `none`', async () => {
    for await (const frame of playFrames(playlist(sessions.plain), SIZE))
      expect(greenOutline(frame)).toBeUndefined();
  });
});

describe('a session that has ended', () => {
  let sessionId: string;
  beforeAll(async () => {
    ({ sessionId } = await publish('counted.webm'));
  });

  test('is a playlist that ffprobe reads whole', async () => {
    const probe = ['-v', 'error', '-count_frames', '-select_streams', 'v', '-of', 'csv=p=0'];
    const { stdout, stderr } = await run('ffprobe', [
      ...probe,
      '-show_entries',
      'stream=codec_name,width,height,nb_read_frames',
      playlist(sessionId),
    ]);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')[0]).toBe('h264,640,480,300');
  });

  test('has its last stats', async () => {
    const stats: unknown = await (await fetch(`${stack.url}/api/sessions/${sessionId}`)).json();
    expect(stats).toMatchObject({ state: 'ended', framesIn: 300, framesOut: 300, width: 640 });
  });

  test('leaves one key, no process and no file but its playlist', async () => {
    // The tracker's state and the viewers are removed within seconds. The owner is kept for as long as the
    // session can be played and deleted.
    const keys = async () => (await redis.keys('*')).filter((key) => key.includes(sessionId));
    await expect.poll(keys).toEqual([`facecast:session-owner:${sessionId}`]);
    expect(await redis.smembers('facecast:sessions')).toEqual([]);
    expect(await readdir(stack.framesDir)).toEqual([]);
    const programs = await programsOf(stack.pid);
    expect(programs).toContain('node');
    expect(programs).not.toContain('ffmpeg');
    const files = await readdir(join(stack.hlsDir, sessionId));
    expect(
      files.filter(
        (file) =>
          !/^(live\.m3u8|faces\.ndjson|(session|protection)\.json|.*\.(mp4|m4s))$/.test(file),
      ),
    ).toEqual([]);
  });
});

test('two sessions at once do not touch each other', async () => {
  const [counted, face] = await Promise.all([publish('counted.webm'), publish('face.webm')]);
  expect(await playedNumbers(counted.sessionId)).toEqual(upTo(300));
  let frames = 0;
  for await (const frame of playFrames(playlist(face.sessionId), SIZE)) frames += frame.width / 640;
  expect(frames).toBe(180);
});

describe('bad input', () => {
  const noise = (length: number) =>
    Buffer.from(
      Uint32Array.from({ length: length / 4 }, (_, i) => Math.imul(i + 1, 2654435761)).buffer,
    );
  const jpeg = () => readFile(new URL('../fixtures/astronaut.jpg', import.meta.url));

  test.each([
    ['a text file', async () => Buffer.from('This is no video.\n'.repeat(1000))],
    ['a JPEG', jpeg],
    [
      'an HLS playlist that names a local file',
      async () => Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n'),
    ],
    ['10 MB of noise', async () => noise(10_000_000)],
    [
      'noise behind a WebM header',
      async () => Buffer.concat([(await clip('counted.webm')).subarray(0, 200), noise(10_000_000)]),
    ],
    ['a WebM header alone', async () => (await clip('counted.webm')).subarray(0, 200)],
  ])(
    '%s is refused as unsupported media, and a session beside it loses no frame',
    async (_, bytes) => {
      const beside = await TestPublisher.start(stack.ingestUrl);
      const whole = await clip('short.webm');
      await beside.sendMedia(whole.subarray(0, whole.length / 2));
      const bad = await TestPublisher.start(stack.ingestUrl);
      await bad.sendMedia(await bytes(), 200_000);
      bad.send({ type: 'stop' });
      expect(await bad.message('error')).toMatchObject({ code: 'unsupported_media' });
      await bad.closed();
      expect((await fetch(playlist(bad.sessionId))).status).toBe(404);
      await beside.sendMedia(whole.subarray(whole.length / 2));
      expect((await beside.stop()).frames).toBe(90);
      expect(await playedNumbers(beside.sessionId)).toEqual(upTo(90));
    },
  );

  test('of a WebM that is cut off, all frames that it has are shown', async () => {
    const whole = await clip('counted.webm');
    const publisher = await TestPublisher.start(stack.ingestUrl);
    await publisher.sendMedia(whole.subarray(0, Math.floor(whole.length / 2)));
    const { frames } = await publisher.stop();
    expect(frames).toBeGreaterThan(100);
    expect(await playedNumbers(publisher.sessionId)).toEqual(upTo(frames));
  });

  test.each([
    ['no JSON', 'hello', 'bad_message'],
    ['JSON that is not the protocol', { type: 'dance' }, 'bad_message'],
    ['a message of the protocol that may not be the first', { type: 'stop' }, 'bad_message'],
    [
      'a media type that nobody can decode',
      { type: 'start', mimeType: 'image/gif' },
      'unsupported_media',
    ],
  ])('%s is answered with %o: %s', async (_, message, code) => {
    const publisher = await TestPublisher.connect(stack.ingestUrl);
    publisher.send(message);
    expect(await publisher.message('error')).toMatchObject({ code });
    await publisher.closed();
  });

  test('a message over the limit is answered with too_large', async () => {
    const publisher = await TestPublisher.start(stack.ingestUrl);
    await publisher.sendMedia(Buffer.alloc(20_000_000), 20_000_000);
    expect(await publisher.message('error')).toMatchObject({ code: 'too_large' });
  });

  test('a page of another origin is answered with origin_not_allowed', async () => {
    const publisher = await TestPublisher.connect(stack.ingestUrl, 'http://elsewhere.example');
    expect(await publisher.message('error')).toMatchObject({ code: 'origin_not_allowed' });
  });
});
