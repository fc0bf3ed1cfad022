import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeInitSegment } from '../mp4/init-segment.js';
import { writeFragment } from '../mp4/fragment.js';
import { LeaseLostError } from '@facecast/shared/lease/lease';
import { Packager } from './packager.js';
import { CADENCE } from '../testing/cadence.js';
import { HEIGHT, numberedFrames, playNumbers, probe, upTo, WIDTH } from '../testing/test-frames.js';
import { VideoEncoder } from '../encode/video-encoder.js';
import {
  INIT,
  addBatch,
  addBatches,
  fakePart,
  folder,
  media,
  open,
  playlist,
  silence,
  startWith,
  text,
  usePackagers,
} from '../testing/use-packagers.js';

usePackagers();

describe('a successor', () => {
  test.each([
    ['in the middle of a segment', 14],
    ['between two segments', 20],
    ['after the first part', 1],
    ['when the window slides', 777],
  ])(
    'resumes %s: nothing changes, and the next part comes after a discontinuity',
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

  test('removes files that were never listed, and keeps those that a player may still request', async () => {
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

describe('independent players', () => {
  /** Batches of real pictures, encoded and added. */
  async function addPictures(packager: Packager, from: number, to: number) {
    const size = { width: WIDTH, height: HEIGHT };
    const encoder = new VideoEncoder(size, CADENCE);
    const audioOf = silence();
    for (let batch = from; batch < to; batch++) {
      const firstFrame = batch * 3;
      const { avcC, frames } = await encoder.encode(numberedFrames(firstFrame, 3), 3);
      if (batch === from) packager.begin(writeInitSegment({ ...size, fps: CADENCE.fps, avcC }));
      const part = writeFragment({ batch, firstFrame }, frames, await audioOf(batch));
      await addBatch(packager, batch, part);
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
    const packets = ['-select_streams', 'v', '-show_entries', 'stream=nb_read_packets'];
    expect(await probe(path, '-count_packets', ...packets)).toMatchObject({
      streams: [{ nb_read_packets: `${47 * 3}` }],
    });
  });

  test('ffmpeg plays the live window while it is live', async () => {
    await addPictures(await open(), 0, 35);
    const path = join(folder, 'live.m3u8');
    const shown = await playNumbers(path, '-live_start_index', '0', '-t', '2.9');
    expect(shown.slice(0, 80)).toEqual(upTo(80));
  });
});
