import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testPlaylist } from '../testing/test-playlist.js';
import { LIVE, NEXT, ENDED, playbackRefusal, usePlayback } from '../testing/use-playback.js';
import { HeldRequestLimit } from './held-request-limit.js';

const playback = usePlayback();
const { publish, tell, playlist, held, start, stop } = playback;

describe('a held request', () => {
  test('is answered with the part it asked for, and all of them by one event', async () => {
    const query = '?_HLS_msn=40&_HLS_part=4';
    const answers = Array.from({ length: 300 }, () => playlist(query));
    await held(300);
    await publish(NEXT);
    tell();
    const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
    expect(new Set(texts)).toEqual(new Set([testPlaylist(NEXT)]));
    expect(playback.playlists.held).toBe(0);
  });

  test('goes on being held while what it asked for is not there', async () => {
    const next = playlist('?_HLS_msn=40&_HLS_part=4');
    const whole = playlist('?_HLS_msn=40');
    await held(2);
    await publish(NEXT);
    tell();
    expect(await (await next).text()).toBe(testPlaylist(NEXT));
    expect(playback.playlists.held).toBe(1);
    await publish({ firstMsn: 11, segments: 30 });
    tell();
    expect(await (await whole).text()).toBe(testPlaylist({ firstMsn: 11, segments: 30 }));
  });

  test('is answered at once when the session ends', async () => {
    const answer = playlist('?_HLS_msn=41&_HLS_part=2');
    await held(1);
    await publish(ENDED);
    playback.playlists.receive({ type: 'ended', sessionId: 's', frames: 900 });
    expect(await (await answer).text()).toBe(testPlaylist(ENDED));
  });

  test('is refused that comes while its session is deleted, or its gateway stops', async () => {
    const wait = () => ({ kind: 'wait' }) as const;
    for (const [end, status] of [
      [() => playback.playlists.forget('s'), 404],
      [() => playback.playlists.close(), 503],
    ] as const) {
      const found = await playback.playlists.get('s');
      end();
      expect(await found?.hold(wait).outcome).toMatchObject({ kind: 'refuse', status });
    }
  });

  test('of one session is not woken by another', async () => {
    const answer = playlist('?_HLS_msn=40');
    await held(1);
    await publish(ENDED);
    playback.playlists.receive({ type: 'part', sessionId: 'other', msn: 0, part: 0, batches: 0 });
    await new Promise(setImmediate);
    expect(playback.playlists.held).toBe(1);
    tell();
    await answer;
  });

  test('does not count any more when its client has gone', async () => {
    const leaving = new AbortController();
    const answers = Array.from({ length: 20 }, () =>
      fetch(`${playback.url}/s/live.m3u8?_HLS_msn=40`, { signal: leaving.signal }),
    );
    await held(20);
    leaving.abort();
    await Promise.allSettled(answers);
    await held(0);
  });

  test('rfc8216bis 6.2.5.2: is given up after three target durations', async () => {
    const early = playlist('?_HLS_msn=40');
    await held(1);
    playback.now += 2_000;
    const late = playlist('?_HLS_msn=40');
    await held(2);
    playback.now += 999;
    playback.playlists.sweep();
    expect(playback.playlists.held).toBe(2);
    playback.now += 1;
    playback.playlists.sweep();
    expect(await playbackRefusal(early)).toEqual([503, 'unavailable']);
    expect(playback.playlists.held).toBe(1);
    playback.now += 2_000;
    playback.playlists.sweep();
    expect(await playbackRefusal(late)).toEqual([503, 'unavailable']);
  });

  test('survives a lost event: the playlist is read again anyway', async () => {
    const answer = playlist('?_HLS_msn=40&_HLS_part=4');
    await held(1);
    await publish(NEXT);
    playback.now += 501;
    playback.playlists.sweep();
    expect(await (await answer).text()).toBe(testPlaylist(NEXT));
  });

  test('is refused when the session is removed', async () => {
    const answer = playlist('?_HLS_msn=40');
    await held(1);
    await rm(join(playback.hlsDir, 's'), { recursive: true });
    tell();
    expect(await playbackRefusal(answer)).toEqual([404, 'not_found']);
    await mkdir(join(playback.hlsDir, 's'));
  });

  test('is refused when the gateway stops', async () => {
    const answer = playlist('?_HLS_msn=40');
    await held(1);
    playback.playlists.close();
    expect(await playbackRefusal(answer)).toEqual([503, 'unavailable']);
  });

  test('is refused if there are too many', async () => {
    await stop();
    await start(new HeldRequestLimit(5, 3));
    await mkdir(join(playback.hlsDir, 't'));
    await writeFile(join(playback.hlsDir, 't', 'live.m3u8'), testPlaylist(LIVE));
    const other = () => fetch(`${playback.url}/t/live.m3u8?_HLS_msn=40`);
    const answers = Array.from({ length: 3 }, () => playlist('?_HLS_msn=40'));
    await held(3);
    expect(await playbackRefusal(playlist('?_HLS_msn=40'))).toEqual([503, 'unavailable']);
    answers.push(other(), other());
    await held(5);
    expect(await playbackRefusal(other())).toEqual([503, 'unavailable']);
    expect((await playlist()).status).toBe(200);
    await publish(ENDED);
    tell();
    await Promise.all(answers.slice(0, 3));
    answers.push(other());
    await held(3);
    playback.playlists.close();
    await Promise.all(answers);
  });
});
