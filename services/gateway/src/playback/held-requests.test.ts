import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testPlaylist } from '../testing/test-playlist.js';
import { LIVE, NEXT, ENDED, playbackRefusal, usePlayback } from '../testing/use-playback.js';
import { WaitingRoom } from './waiting-room.js';

const playback = usePlayback();
const { publish, tell, playlist, waiting, start, stop } = playback;

describe('a held request', () => {
  test('is answered with the part it asked for, all who wait by one event', async () => {
    const query = '?_HLS_msn=40&_HLS_part=4';
    const answers = Array.from({ length: 300 }, () => playlist(query));
    await waiting(300);
    await publish(NEXT);
    tell();
    const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
    expect(new Set(texts)).toEqual(new Set([testPlaylist(NEXT)]));
    expect(playback.playlists.waiting).toBe(0);
  });

  test('goes on waiting while what it asked for is not there', async () => {
    const next = playlist('?_HLS_msn=40&_HLS_part=4');
    const whole = playlist('?_HLS_msn=40');
    await waiting(2);
    await publish(NEXT);
    tell();
    expect(await (await next).text()).toBe(testPlaylist(NEXT));
    expect(playback.playlists.waiting).toBe(1);
    await publish({ firstMsn: 11, segments: 30 });
    tell();
    expect(await (await whole).text()).toBe(testPlaylist({ firstMsn: 11, segments: 30 }));
  });

  test('is answered at once when the session ends', async () => {
    const answer = playlist('?_HLS_msn=41&_HLS_part=2');
    await waiting(1);
    await publish(ENDED);
    playback.playlists.receive({ type: 'ended', sessionId: 's', frames: 900 });
    expect(await (await answer).text()).toBe(testPlaylist(ENDED));
  });

  test('of one session is not woken by another', async () => {
    const answer = playlist('?_HLS_msn=40');
    await waiting(1);
    await publish(ENDED);
    playback.playlists.receive({ type: 'part', sessionId: 'other', msn: 0, part: 0, batches: 0 });
    await new Promise(setImmediate);
    expect(playback.playlists.waiting).toBe(1);
    tell();
    await answer;
  });

  test('takes no place any more when its client has gone', async () => {
    const leaving = new AbortController();
    const answers = Array.from({ length: 20 }, () =>
      fetch(`${playback.url}/s/live.m3u8?_HLS_msn=40`, { signal: leaving.signal }),
    );
    await waiting(20);
    leaving.abort();
    await Promise.allSettled(answers);
    await waiting(0);
  });

  test('rfc8216bis 6.2.5.2: is given up after three target durations', async () => {
    const early = playlist('?_HLS_msn=40');
    await waiting(1);
    playback.now += 2_000;
    const late = playlist('?_HLS_msn=40');
    await waiting(2);
    playback.now += 999;
    playback.playlists.sweep();
    expect(playback.playlists.waiting).toBe(2);
    playback.now += 1;
    playback.playlists.sweep();
    expect(await playbackRefusal(early)).toEqual([503, 'unavailable']);
    expect(playback.playlists.waiting).toBe(1);
    playback.now += 2_000;
    playback.playlists.sweep();
    expect(await playbackRefusal(late)).toEqual([503, 'unavailable']);
  });

  test('survives a lost event: the playlist is looked at anyway', async () => {
    const answer = playlist('?_HLS_msn=40&_HLS_part=4');
    await waiting(1);
    await publish(NEXT);
    playback.now += 501;
    playback.playlists.sweep();
    expect(await (await answer).text()).toBe(testPlaylist(NEXT));
  });

  test('is refused when the session is removed', async () => {
    const answer = playlist('?_HLS_msn=40');
    await waiting(1);
    await rm(join(playback.hlsDir, 's'), { recursive: true });
    tell();
    expect(await playbackRefusal(answer)).toEqual([404, 'not_found']);
    await mkdir(join(playback.hlsDir, 's'));
  });

  test('is refused when the gateway stops', async () => {
    const answer = playlist('?_HLS_msn=40');
    await waiting(1);
    playback.playlists.close();
    expect(await playbackRefusal(answer)).toEqual([503, 'unavailable']);
  });

  test('is one of so many, and no more', async () => {
    await stop();
    await start(new WaitingRoom(5, 3));
    await mkdir(join(playback.hlsDir, 't'));
    await writeFile(join(playback.hlsDir, 't', 'live.m3u8'), testPlaylist(LIVE));
    const other = () => fetch(`${playback.url}/t/live.m3u8?_HLS_msn=40`);
    const held = Array.from({ length: 3 }, () => playlist('?_HLS_msn=40'));
    await waiting(3);
    expect(await playbackRefusal(playlist('?_HLS_msn=40'))).toEqual([503, 'unavailable']);
    held.push(other(), other());
    await waiting(5);
    expect(await playbackRefusal(other())).toEqual([503, 'unavailable']);
    expect((await playlist()).status).toBe(200);
    await publish(ENDED);
    tell();
    await Promise.all(held.slice(0, 3));
    held.push(other());
    await waiting(3);
    playback.playlists.close();
    await Promise.all(held);
  });
});
