import { appendFile, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { StatsCounter } from '../session/stats-counter.js';
import { CAPTURED_AT } from '../testing/cadence.js';
import { playNumbers, probe, upTo } from '../testing/test-frames.js';
import { play } from '../testing/test-audio.js';
import {
  SESSION,
  end,
  everyThird,
  facesOf,
  file,
  flashing,
  hold,
  kill,
  packager,
  playBoth,
  playlist,
  publish,
  recorder,
  recordings,
  seen,
  twiceAsLarge,
  useRecordings,
} from '../testing/use-recordings.js';

useRecordings();

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
