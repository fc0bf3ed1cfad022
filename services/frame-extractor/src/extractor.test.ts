import { rm, writeFile } from 'node:fs/promises';
import { connectRedis } from '@facecast/shared/redis/redis';
import { publishEvent } from '@facecast/shared/protocol/events';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countedClip, cut, H264_MP4, SMALL, VP8_WEBM } from './testing/counted-clips.js';
import { STALL_LIMITS } from './video/video-decoder.js';
import { log, Surroundings, upTo, type TestSession } from './testing/surroundings.js';

const redis = connectRedis(redisUrl, 'worker', log);
let around: Surroundings;
let webm: Buffer;
let short: Buffer;
/** Small pictures, and more bytes than the pipes between here and ffmpeg could swallow. */
let noisy: Buffer;

beforeAll(async () => {
  webm = await countedClip(300, VP8_WEBM);
  short = await countedClip(60, VP8_WEBM, SMALL);
  noisy = await countedClip(420, VP8_WEBM, { ...SMALL, noise: true });
});
beforeEach(async () => {
  await redis.flushall();
  around = await Surroundings.start(redis);
});
afterEach(() => around.close());
afterAll(() => redis.quit());

describe('every frame comes out once and in order', () => {
  const chunkings: [string, (bytes: Buffer) => Buffer[]][] = [
    ['as one chunk', (bytes) => [bytes]],
    ['in chunks of which the first is one byte', (bytes) => cut(bytes, 1, 7000)],
    ['in chunks of odd sizes', (bytes) => cut(bytes, 3, 1, 4, 1, 999, 12_345, 77, 1013)],
  ];
  test.each(chunkings)('of a WebM (VP8) %s', async (_, chunking) => {
    const session = await around.begin();
    await session.send(chunking(webm));
    await session.stop();
    expect(await session.end()).toEqual({ kind: 'end', batches: 100, frames: 300 });
    await around.until(() => session.jobs.length === 100);
    expect(session.numbers).toEqual(upTo(300));
  });

  test('of a fragmented MP4 (H.264)', async () => {
    const session = await around.begin('video/mp4');
    await session.send(cut(await countedClip(300, H264_MP4, SMALL), 5, 5000));
    await session.stop();
    expect(await session.end()).toEqual({ kind: 'end', batches: 100, frames: 300 });
    await around.until(() => session.jobs.length === 100);
    expect(session.numbers).toEqual(upTo(300));
  });

  test('of a stream that does not begin at time 0 and has no whole number of batches', async () => {
    const session = await around.begin();
    await session.send([await countedClip(50, ['-output_ts_offset', '7.5', ...VP8_WEBM], SMALL)]);
    await session.stop();
    expect(await session.end()).toEqual({ kind: 'end', batches: 17, frames: 50 });
    await around.until(() => session.jobs.length === 17);
    expect(session.numbers).toEqual(upTo(50));
    expect(session.jobs.at(-1)).toMatchObject({ batch: 16, firstFrame: 48, frameCount: 2 });
  });

  test('of an input stream that is cut off in the middle of a frame, as far as it goes', async () => {
    const session = await around.begin();
    await session.send(cut(webm.subarray(0, webm.length / 2), 5000));
    await session.stop();
    const { frames, batches, error } = await session.end();
    expect(error).toBeUndefined();
    expect(frames).toBeGreaterThan(100);
    await around.until(() => session.jobs.length === batches);
    expect(session.numbers).toEqual(upTo(frames));
  });
});

test('batches say when they were captured, received and decoded, and with what effect', async () => {
  const before = Date.now();
  const session = await around.begin();
  await session.send(cut(webm, 100_000));
  await around.until(() => session.jobs.length > 10);
  await publishEvent(redis, { type: 'effect', sessionId: session.id, effect: 'blur' });
  await publishEvent(redis, { type: 'effect', sessionId: 'another', effect: 'pixelate' });
  await session.stop();
  await session.end();
  await around.until(() => session.jobs.length === 100);
  for (const job of session.jobs) {
    expect(job).toMatchObject({ sessionId: session.id, width: 640, height: 480 });
    expect(job.capturedAt).toBeGreaterThanOrEqual(before - 1000);
    expect(job.receivedAt).toBeGreaterThanOrEqual(before);
    expect(job.decodedAt).toBeGreaterThanOrEqual(job.receivedAt);
  }
  expect(session.jobs[0]?.effect).toBe('box');
});

test('a large source is scaled down to square pixels, even sides and at most 1280x720', async () => {
  const session = await around.begin();
  const anamorphic = ['-vf', 'setsar=2/1', ...VP8_WEBM];
  await session.send([await countedClip(6, anamorphic, { width: 962, height: 722 })]);
  await session.stop();
  await session.end();
  await around.until(() => session.jobs.length === 2);
  expect(session.jobs[0]).toMatchObject({ width: 1280, height: 480 });
});

describe('bad input ends its session with a clear error, and none beside it', () => {
  const noise = Buffer.from(Array.from({ length: 10 * 1024 }, (_, i) => (i * 7919) % 251));
  const tenMegabytes = cut(Buffer.alloc(10 * 1024 * 1024, noise), 500_000);
  const playlist = Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n');
  const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
  const ebml = Buffer.from('1a45dfa3', 'hex');
  const inputs: [string, string, Buffer[]][] = [
    ['a text', 'video/webm', [Buffer.from('Hello, this is a text.')]],
    ['a text of three bytes', 'video/webm', [Buffer.from('abc')]],
    ['a JPEG', 'video/mp4', [jpeg]],
    ['a playlist that names a file, as WebM', 'video/webm', [playlist]],
    ['a playlist that names a file, as MP4', 'video/mp4', [playlist]],
    ['10 MB of noise', 'video/webm', tenMegabytes],
    ['10 MB of noise behind an EBML magic', 'video/webm', [ebml, ...tenMegabytes]],
    ['10 MB of nothing in an endless box', 'video/mp4', [box('ftyp'), box('free'), ...zeros()]],
    ['WebM declared as MP4', 'video/mp4', [Buffer.from('1a45dfa301000000', 'hex')]],
    ['a type that nobody knows', 'image/png', [jpeg]],
  ];
  test.each(inputs)('%s', async (_, mimeType, pieces) => {
    const [bad, good] = [await around.begin(mimeType), await around.begin()];
    await good.send(cut(short, 40_000));
    await bad.send(pieces);
    await bad.stop();
    const end = await bad.end();
    expect(end).toMatchObject({ batches: 0, frames: 0, error: { code: 'unsupported_media' } });
    await good.stop();
    expect((await good.end()).frames).toBe(60);
    await around.until(() => good.jobs.length === 20);
    expect(good.numbers).toEqual(upTo(60));
  });

  test('an MP4 whose fragments have pictures of no track, while it is still being sent', async () => {
    const mp4 = await countedClip(60, H264_MP4, SMALL);
    mp4.write('free', mp4.indexOf('tkhd'), 'latin1');
    const session = await around.begin('video/mp4');
    await session.send(cut(mp4, 5000).slice(0, 2));
    const { frames, error } = await session.end();
    expect(frames).toBe(0);
    expect(error).toMatchObject({ code: 'unsupported_media' });
  });

  function box(type: string): Buffer {
    return Buffer.from(`\x00\x00\x00\x10${type}isom\x00\x00\x02\x00`, 'latin1');
  }

  function zeros(): Buffer[] {
    return cut(Buffer.alloc(10 * 1024 * 1024), 500_000);
  }
});

test('a session that ends without a byte has no frames and no error', async () => {
  const session = await around.begin();
  await session.stop();
  expect(await session.end()).toEqual({ kind: 'end', batches: 0, frames: 0 });
});

test('a publisher that is gone ends its session with all that it sent', async () => {
  const session = await around.begin();
  await session.send(cut(webm, 40_000));
  await redis.del(`facecast:publisher:${session.id}`);
  expect(await session.end()).toEqual({ kind: 'end', batches: 100, frames: 300 });
});

test('a session that has sent no picture, and sends nothing more, is ended and gives its place back', async () => {
  await around.close();
  around = await Surroundings.start(redis, { ...STALL_LIMITS, picturelessMs: 1_500 });
  const session = await around.begin();
  await session.send([webm.subarray(0, 200)]);
  const { frames, error } = await session.end();
  expect(frames).toBe(0);
  expect(error).toMatchObject({ code: 'unsupported_media' });
});

test('a playlist that stands still holds the source back, and loses nothing', async () => {
  around.playlistMoves = false;
  const session = await around.begin();
  await session.send(cut(noisy, 20_000));
  await session.stop();
  await around.until(() => session.jobs.length === 100);
  expect(await session.waiting()).toBeGreaterThan(0);
  expect(session.jobs.length).toBe(100);
  around.playlistMoves = true;
  await around.publishPart(session);
  expect((await session.end()).frames).toBe(420);
  await around.until(() => session.jobs.length === 140);
  expect(session.numbers).toEqual(upTo(420));
});

test('a chunk that comes twice is fed once', async () => {
  const session = await around.register();
  const [head, ...rest] = cut(short, 10_000);
  await session.send([head!]);
  await session.addJob(0);
  await session.send(rest);
  await session.stop();
  await around.addLeaseJob(session);
  expect(await session.end()).toEqual({ kind: 'end', batches: 20, frames: 60 });
  await around.until(() => session.jobs.length === 20);
  expect(session.numbers).toEqual(upTo(60));
});

test('a chunk whose bytes are lost ends its session with what came before it', async () => {
  const session = await around.begin();
  await session.send(cut(webm.subarray(0, 200_000), 10_000));
  await around.until(() => session.jobs.length > 0);
  await session.addJob(1000);
  const { frames, batches, error } = await session.end();
  expect(error).toMatchObject({ code: 'internal' });
  await around.until(() => session.jobs.length === batches);
  expect(session.numbers).toEqual(upTo(frames));
});

describe('a replica that is told to stop', () => {
  test('leaves a session that has not begun to another, which decodes it whole', async () => {
    const session = await around.begin();
    await around.held(1);
    await around.extractor.close();
    await session.send(cut(short, 10_000));
    await session.stop();
    await around.startExtractor();
    expect(await session.end()).toEqual({ kind: 'end', batches: 20, frames: 60 });
  });
});

test('a session whose frames cannot be stored is ended with an error', async () => {
  const session = await around.begin();
  await around.held(1);
  await rm(around.directoryOf(session), { recursive: true });
  await writeFile(around.directoryOf(session), 'in the way');
  await session.send(cut(short, 10_000));
  const end = await session.end();
  expect(end).toMatchObject({ batches: 0, frames: 0, error: { code: 'internal' } });
});

describe('nothing is left behind', () => {
  /** Keys that name the session in Redis, without those that other services remove. */
  async function orphansOf({ id }: TestSession): Promise<string[]> {
    const keys = (await redis.keys('*')).filter((key) => key.includes(id));
    const others = /^facecast:(session|publisher|marked|queue:detect):/;
    return keys.filter((key) => !others.test(key));
  }

  test('by a session that has ended, nor of what came after its end', async () => {
    const session = await around.register();
    await session.send(cut(short, 10_000));
    await session.stop();
    await session.send([Buffer.from('late')]);
    await around.addLeaseJob(session);
    await session.end();
    await publishEvent(redis, { type: 'ended', sessionId: session.id, frames: 60 });
    await around.leaseJobDone(session);
    expect(await orphansOf(session)).toEqual([]);
  });

  test('by a session whose end was not reported', async () => {
    const session = await around.begin();
    await session.send(cut(short, 10_000));
    await session.stop();
    await session.end();
    await around.sessions.remove(session.id);
    await around.leaseJobDone(session);
    expect(await orphansOf(session)).toEqual([]);
  });

  test('by a session that the segmenter has ended', async () => {
    const session = await around.begin();
    await session.send(cut(webm, 10_000));
    await around.until(() => session.jobs.length > 0);
    await publishEvent(redis, { type: 'ended', sessionId: session.id, frames: 3 });
    await around.leaseJobDone(session);
    expect(await orphansOf(session)).toEqual([]);
    expect(await redis.exists(`facecast:marked:${session.id}`)).toBe(0);
  });

  test('by a session that is not registered any more', async () => {
    const session = await around.register();
    await around.sessions.remove(session.id);
    await session.send(cut(short, 10_000));
    await around.addLeaseJob(session);
    await around.leaseJobDone(session);
    expect(await orphansOf(session)).toEqual([]);
  });
});
