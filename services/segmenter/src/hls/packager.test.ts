import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { types } from 'hls-parser';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeInitSegment } from '../mp4/init-segment.js';
import { writeFragment } from '../mp4/fragment.js';
import { LeaseLostError } from '@facecast/shared/lease/lease';
import { Packager } from './packager.js';
import { CADENCE, CAPTURED_AT } from '../testing/cadence.js';
import { HEIGHT, numberedFrames, playNumbers, probe, upTo, WIDTH } from '../testing/test-frames.js';
import { parseStrictly } from '../testing/strict-parser.js';
import { VideoEncoder } from '../encode/video-encoder.js';

const SETTINGS = { cadence: CADENCE, windowSeconds: 30 };
const INIT = Buffer.from('init');
/** In memory where it can be: these tests write a hundred thousand files. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let folder: string;
let clock: number;

beforeEach(async () => {
  folder = await mkdtemp(join(SCRATCH, 'facecast-packager-'));
  clock = 0;
});

afterEach(() => rm(folder, { recursive: true }));

const open = () => Packager.open(folder, SETTINGS, () => clock);
const text = () => readFile(join(folder, 'live.m3u8'), 'utf8');
const playlist = async () => parseStrictly(await text());
const media = async () => (await readdir(folder)).filter((name) => name.endsWith('.m4s')).sort();

/** A part that no player could show, as the encoder would give it. */
function fakePart(batch: number): Buffer {
  const data = Buffer.alloc(20, `${batch} `);
  return writeFragment(
    { batch, firstFrame: batch * 3 },
    upTo(3).map((frame) => ({ key: frame === 0, data })),
  );
}

async function addBatch(packager: Packager, batch: number, content = fakePart(batch)) {
  const capturedAt = CAPTURED_AT + batch * 100;
  const place = await packager.add({ firstFrame: batch * 3, frames: 3, capturedAt }, content);
  await packager.tidy();
  clock += 100;
  return place;
}

async function addBatches(packager: Packager, from: number, to: number) {
  for (let batch = from; batch < to; batch++) await addBatch(packager, batch);
}

async function startWith(batches: number) {
  const packager = await open();
  packager.begin(INIT);
  await addBatches(packager, 0, batches);
  return packager;
}

/** The names that a playlist lists. */
function namesIn(list: types.MediaPlaylist): string[] {
  return list.segments.flatMap((segment) => [
    ...(segment.uri ? [segment.uri] : []),
    ...(segment.map ? [segment.map.uri] : []),
    ...segment.parts.filter((part) => !part.hint).map((part) => part.uri),
  ]);
}

describe("a session's folder", () => {
  test('a part is listed with the call that adds it', async () => {
    const packager = await open();
    packager.begin(INIT);
    expect(await addBatch(packager, 0)).toEqual({ msn: 1, part: 0 });
    expect(await text()).toContain('URI="1.0.m4s",INDEPENDENT=YES');
    expect(await readFile(join(folder, '1.0.m4s'))).toEqual(fakePart(0));
    expect(await readFile(join(folder, 'init-0.mp4'))).toEqual(INIT);
  });

  test('a segment is its parts, one after another', async () => {
    await startWith(10);
    const parts = upTo(10).map(fakePart);
    expect(await readFile(join(folder, '1.m4s'))).toEqual(Buffer.concat(parts));
  });

  test('each segment says when it was captured (B.1)', async () => {
    await startWith(25);
    const times = (await playlist()).segments.map(({ programDateTime }) => programDateTime);
    expect(times).toEqual(upTo(3).map((n) => new Date(CAPTURED_AT + n * 1000)));
  });

  test('what is listed is there, from the first part on (6.2.2)', async () => {
    const packager = await startWith(1);
    for (let batch = 1; batch < 450; batch++) {
      await addBatch(packager, batch);
      const there = new Set(await readdir(folder));
      expect(namesIn(await playlist()).filter((name) => !there.has(name))).toEqual([]);
    }
  });

  test("parts stay for three target durations after they were unlisted, segments for their own duration and the longest playlist's (6.2.2)", async () => {
    const packager = await startWith(1);
    const unlistedAt = new Map<string, number>();
    let before: string[] = [];
    for (let batch = 1; batch < 1200; batch++) {
      await addBatch(packager, batch);
      const listed = namesIn(await playlist());
      for (const name of before) if (!listed.includes(name)) unlistedAt.set(name, clock);
      before = listed;
      const there = new Set(await readdir(folder));
      for (const [name, since] of unlistedAt) {
        const keepMs = /\d\.\d/.test(name) ? 3_000 : 31_000;
        if (clock - since < keepMs) expect(there).toContain(name);
      }
    }
    expect(unlistedAt.size).toBeGreaterThan(900);
  });

  test('eight hours leave the folder, the playlist and the memory bounded', async () => {
    const parts = (8 * 3600) / 2;
    const packager = await Packager.open(
      folder,
      { cadence: { fps: 30, framesPerBatch: 60, framesPerSegment: 120 }, windowSeconds: 30 },
      () => clock,
    );
    packager.begin(INIT);
    let most = { files: 0, bytes: 0 };
    let heapAfterAnHour = 0;
    for (let part = 0; part < parts; part++) {
      const frames = { firstFrame: part * 60, frames: 60, capturedAt: CAPTURED_AT };
      await packager.add(frames, fakePart(part));
      await packager.tidy();
      clock += 2000;
      if (part === 1800) heapAfterAnHour = process.memoryUsage().heapUsed;
      if (part % 61 !== 0) continue;
      const [files, { length: bytes }] = [(await readdir(folder)).length, await text()];
      most = { files: Math.max(most.files, files), bytes: Math.max(most.bytes, bytes) };
    }
    // Segments: 8 listed, 12 kept. Parts: 6 listed, 8 kept. One init, one playlist.
    expect(most.files).toBeLessThanOrEqual(8 + 12 + 6 + 8 + 2);
    expect(most.bytes).toBeLessThan(2_000);
    expect(process.memoryUsage().heapUsed - heapAfterAnHour).toBeLessThan(32_000_000);
    const { mediaSequenceBase, segments } = await playlist();
    expect(mediaSequenceBase).toBe(parts / 2 - 8 + 1);
    expect(segments.filter(({ uri }) => uri)).toHaveLength(8);
  }, 240_000);
});

describe('the end of a session', () => {
  test('the playlist ends with the last part, whatever is left of its segment', async () => {
    const packager = await startWith(13);
    await packager.end();
    expect(await playlist()).toMatchObject({ endlist: true });
    expect(await readFile(join(folder, '2.m4s'))).toEqual(
      Buffer.concat(upTo(13).slice(10).map(fakePart)),
    );
    expect(await text()).not.toContain('PRELOAD-HINT');
  });

  test('ending twice is ending once', async () => {
    const packager = await startWith(3);
    await packager.end();
    const ended = await text();
    await packager.end();
    expect(await text()).toBe(ended);
  });

  test('a session without a part has no playlist', async () => {
    const packager = await open();
    await packager.end();
    expect(packager.started).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a successor', () => {
  test.each([
    ['in the middle of a segment', 14],
    ['between two segments', 20],
    ['after the first part', 1],
    ['when the window slides', 777],
  ])(
    'goes on %s: nothing changes, and the next part comes after a discontinuity',
    async (_, batches) => {
      await startWith(batches);
      const before = await text();
      const packager = await open();
      expect(packager).toMatchObject({ batches, frames: batches * 3, started: true, ended: false });
      expect(await text()).toBe(before);

      packager.begin(INIT);
      const msn = 1 + Math.ceil(batches / 10);
      expect(await addBatch(packager, batches)).toEqual({ msn, part: 0 });
      const last = (await playlist()).segments.at(-1);
      expect(last).toMatchObject({ mediaSequenceNumber: msn, discontinuity: true });
      expect(last?.map.uri).toBe('init-1.mp4');
      const cut = upTo(batches).slice((msn - 2) * 10);
      expect(await readFile(join(folder, `${msn - 1}.m4s`))).toEqual(
        Buffer.concat(cut.map(fakePart)),
      );
    },
  );

  test('takes the playlist from a predecessor that still writes', async () => {
    const predecessor = await startWith(5);
    const successor = await open();
    await expect(addBatch(predecessor, 5)).rejects.toThrow(LeaseLostError);
    successor.begin(INIT);
    expect(await addBatch(successor, 5)).toEqual({ msn: 2, part: 0 });
    expect((await playlist()).segments.flatMap(({ parts }) => parts)).toHaveLength(5 + 1 + 1);
  });

  test('lists a part that its predecessor wrote under the hinted name, as it is (4.4.5.3)', async () => {
    await startWith(14);
    await writeFile(join(folder, '2.4.m4s'), fakePart(14));
    const packager = await open();
    const hintedPart = packager.hintedPart(14);
    expect(hintedPart).toEqual(fakePart(14));
    expect(await addBatch(packager, 14, hintedPart)).toEqual({ msn: 2, part: 4 });
    packager.begin(INIT);
    expect(await addBatch(packager, 15)).toEqual({ msn: 3, part: 0 });
    expect(await readFile(join(folder, '2.m4s'))).toEqual(
      Buffer.concat([10, 11, 12, 13, 14].map(fakePart)),
    );
  });

  test('lists no part of an encoder whose initialization section is not listed', async () => {
    await startWith(20);
    await writeFile(join(folder, 'init-1.mp4'), INIT);
    await writeFile(join(folder, '3.0.m4s'), fakePart(20));
    const packager = await open();
    expect(packager.hintedPart(20)).toBeUndefined();
    expect(await media()).not.toContain('3.0.m4s');
    packager.begin(INIT);
    await addBatch(packager, 20);
    expect((await playlist()).segments.at(-1)?.map.uri).toBe('init-2.mp4');
  });

  test('removes what was never listed, and keeps what somebody may still ask for', async () => {
    await startWith(95);
    await writeFile(join(folder, '.10.5.m4s.half.unfinished'), 'half');
    await writeFile(join(folder, '10.m4s'), 'half a segment');
    const before = await media();
    const packager = await open();
    expect(await media()).toEqual(before.filter((name) => name !== '10.m4s'));
    expect(await readdir(folder)).not.toContain('.10.5.m4s.half.unfinished');
    packager.begin(INIT);
    await addBatches(packager, 95, 95 + 700);
    expect(await media()).not.toContain('6.0.m4s');
  });

  test('of a folder without a playlist begins anew, with a name for the init that was never used', async () => {
    await writeFile(join(folder, 'init-0.mp4'), INIT);
    await writeFile(join(folder, '1.0.m4s'), fakePart(0));
    const packager = await open();
    expect(packager).toMatchObject({ batches: 0, frames: 0, started: false });
    packager.begin(INIT);
    await addBatches(packager, 0, 100);
    expect((await playlist()).segments[0]?.map.uri).toBe('init-1.mp4');
    expect(await media()).toContain('1.m4s');
  });

  test('of an ended session has nothing left to do', async () => {
    const predecessor = await startWith(7);
    await predecessor.end();
    expect(await open()).toMatchObject({ ended: true, started: true, frames: 21 });
  });
});

describe('players that nobody here wrote', () => {
  /** Batches of real pictures, encoded and added. */
  async function addPictures(packager: Packager, from: number, to: number) {
    const size = { width: WIDTH, height: HEIGHT };
    const encoder = new VideoEncoder(size, CADENCE);
    for (let batch = from; batch < to; batch++) {
      const firstFrame = batch * 3;
      const { avcC, frames } = await encoder.encode(numberedFrames(firstFrame, 3), 3);
      if (batch === from)
        packager.begin(writeInitSegment({ ...size, fps: CADENCE.fps, avcC }, false));
      await addBatch(packager, batch, writeFragment({ batch, firstFrame }, frames));
    }
    await encoder.close();
  }

  test('ffmpeg shows every frame once and in order, over encoders that were replaced', async () => {
    await addPictures(await open(), 0, 14);
    await addPictures(await open(), 14, 20);
    const packager = await open();
    await addPictures(packager, 20, 47);
    await packager.end();
    const path = join(folder, 'live.m3u8');
    expect(await playNumbers(path)).toEqual(upTo(47 * 3));
    expect(
      await probe(path, '-count_packets', '-show_entries', 'stream=nb_read_packets'),
    ).toMatchObject({ streams: [{ nb_read_packets: `${47 * 3}` }] });
  });

  test('ffmpeg plays the live window while it is live', async () => {
    await addPictures(await open(), 0, 35);
    const path = join(folder, 'live.m3u8');
    const shown = await playNumbers(path, '-live_start_index', '0', '-t', '2.9');
    expect(shown.slice(0, 80)).toEqual(upTo(80));
  });
});
