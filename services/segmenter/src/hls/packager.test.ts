import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Packager } from './packager.js';
import { CAPTURED_AT } from '../testing/cadence.js';
import { upTo } from '../testing/test-frames.js';
import {
  INIT,
  addBatch,
  clock,
  fakePart,
  folder,
  goOn,
  namesIn,
  open,
  playlist,
  startWith,
  text,
  usePackagers,
} from '../testing/use-packagers.js';

usePackagers();

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

  test('all listed files exist, from the first part on (6.2.2)', async () => {
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
      goOn(2000);
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
  test('the playlist ends with the last part, even in the middle of a segment', async () => {
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
