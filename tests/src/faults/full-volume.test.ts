import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countedClip } from '../support/clips.js';
import { startLive } from '../support/live-session.js';
import { SmallVolume } from '../support/small-volume.js';
import { startStack, type Stack } from '../support/stack.js';

/** Offset of the frame-extractor's port from the gateway's. */
const EXTRACTOR = 1;
const SEGMENTER = 2;

const hls = SmallVolume.mount(24);
const MIB = 1024 * 1024;
const FRAMES_MIB = 64;
const frames = SmallVolume.mount(FRAMES_MIB);
if (!hls) console.log('The tests of a full volume are skipped: this user may not mount a tmpfs.');

describe.skipIf(!hls || !frames)('a volume that is full', () => {
  let stack: Stack;
  let media: string;
  let webm: Buffer;

  beforeAll(async () => {
    media = await mkdtemp(join(tmpdir(), 'facecast-full-'));
    const path = join(media, 'counted.webm');
    await countedClip(path, 30 * 20);
    webm = await readFile(path);
    stack = await startStack({ HLS_DIR: hls!.path, FRAMES_DIR: frames!.path, LOG_LEVEL: 'error' });
  });

  afterAll(async () => {
    await stack?.stop();
    for (const volume of [hls, frames]) volume?.unmount();
    await rm(media, { recursive: true, force: true });
  });

  beforeEach(() => {
    for (const volume of [hls, frames]) volume?.free();
  });

  const ask = async (service: number, path: string) => {
    const url = new URL(path, stack.url);
    url.port = String(Number(url.port) + service);
    return fetch(url);
  };
  const refusals = async (service: number) => {
    const text = await (await ask(service, '/metrics')).text();
    return Number(/^facecast_volume_full_total\S* (\d+)/m.exec(text)?.[1]);
  };
  const readiness = async (service: number) => (await ask(service, '/readyz')).status;

  const whole = (count: number) => Array.from({ length: count }, (_, n) => n);

  test('of playlists and media: sessions wait for space and lose nothing, and /readyz says why', async () => {
    const session = await startLive(stack, webm);
    hls!.fill();
    await expect.poll(() => refusals(SEGMENTER)).toBeGreaterThan(0);
    await expect.poll(() => readiness(SEGMENTER)).toBe(503);
    hls!.free();
    const count = await session.end();
    expect(await session.viewer.numbers()).toEqual(whole(count));
    await expect.poll(() => readiness(SEGMENTER)).toBe(200);
  });

  test('of frames: a session that begins waits for space, and loses nothing', async () => {
    frames!.fill();
    const starting = startLive(stack, webm);
    await expect.poll(() => refusals(EXTRACTOR)).toBeGreaterThan(0);
    frames!.free();
    const session = await starting;
    const count = await session.end();
    expect(await session.viewer.numbers()).toEqual(whole(count));
  });

  test('of frames keeps a part free for what cannot wait: rendered batches, and the log of Redis', async () => {
    const store = new DirectoryFrameStore(frames!.path);
    await store.openSession('one');
    const write = (batch: number, kind: 'decoded' | 'marked') =>
      store.write({ sessionId: 'one', batch, kind }, Buffer.alloc(4 * MIB));
    let batches = 0;
    const fill = async () => {
      while (await write(batches, 'decoded')) batches++;
    };
    await expect(fill()).rejects.toThrow(/no free space/);
    expect(batches).toBe(FRAMES_MIB / 4 - 4);
    expect(await write(0, 'marked')).toBe(true);
    await store.removeSession('one');
  });

  test('and stays full ends a session with the reason, and no later one', async () => {
    const { publisher } = await startLive(stack, webm);
    // The segmenter frees space: it removes what earlier sessions left.
    hls!.keepFull();
    await expect(publisher.refused()).rejects.toThrow(/^internal: The server has no room/);
    hls!.free();
    const later = await startLive(stack, webm);
    const count = await later.end();
    expect(await later.viewer.numbers()).toEqual(whole(count));
  });
});
