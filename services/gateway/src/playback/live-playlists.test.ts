import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { testPlaylist } from '../testing/test-playlist.js';
import { LIVE, NEXT, ENDED, playbackRefusal, usePlayback } from '../testing/use-playback.js';

const playback = usePlayback();
const { publish, tell, playlist, raw } = playback;

describe('the live playlist', () => {
  test('comes as HLS that no cache keeps and any page may read', async () => {
    const response = await playlist();
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(testPlaylist(LIVE));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'public, no-cache',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'Origin, Accept-Encoding',
    });
  });

  test('comes packed for who can unpack it, whole for who cannot', async () => {
    const packed = await raw('s/live.m3u8', { 'accept-encoding': 'gzip, br' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).toString()).toBe(testPlaylist(LIVE));
    const plain = await raw('s/live.m3u8', { 'accept-encoding': 'identity' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toBe(testPlaylist(LIVE));
    expect(packed.body.length).toBeLessThan(plain.body.length / 4);
  });

  test('rfc8216bis 6.2.5.1: comes as a delta update for who asks for one', async () => {
    const delta = await (await playlist('?_HLS_skip=YES')).text();
    expect(delta).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=23\n');
    expect(delta).toContain('#EXT-X-VERSION:9\n');
    expect(delta.endsWith(testPlaylist(LIVE).slice(-500))).toBe(true);
    await publish(ENDED);
    tell();
    expect(await (await playlist('?_HLS_skip=YES')).text()).toBe(testPlaylist(ENDED));
  });

  test('that has ended counts only after asking again, too: it may be deleted', async () => {
    await publish(ENDED);
    const { headers } = await playlist('?_HLS_msn=99');
    expect(headers.get('cache-control')).toBe('public, no-cache');
  });

  test('answers HEAD without a body', async () => {
    const response = await fetch(`${playback.url}/s/live.m3u8`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  test('of no session is a 404', async () => {
    expect(await playbackRefusal(fetch(`${playback.url}/nobody/live.m3u8`))).toEqual([
      404,
      'not_found',
    ]);
    expect(playback.playlists.size).toBe(0);
  });

  test.each(['?_HLS_part=1', '?_HLS_msn=x', '?_HLS_msn=99', '?_HLS_msn=40&_HLS_msn=41'])(
    'rfc8216bis 6.2.5.2: %s is a Bad Request',
    async (query) => expect(await playbackRefusal(playlist(query))).toEqual([400, 'bad_request']),
  );
});

describe('playlists in memory', () => {
  test('are never older than half a second, even without an event', async () => {
    await playlist();
    await publish(NEXT);
    playback.now += 501;
    expect(await (await playlist()).text()).toBe(testPlaylist(NEXT));
  });

  test('are forgotten when nobody has asked for ten seconds', async () => {
    await playlist();
    playback.now += 10_000;
    playback.playlists.sweep();
    expect(playback.playlists.size).toBe(1);
    playback.now += 1;
    playback.playlists.sweep();
    expect(playback.playlists.size).toBe(0);
  });
});

test('who asks for playlists counts as a viewer, each once', async () => {
  const headers = { 'x-facecast-viewer': 'tab-1' };
  await fetch(`${playback.url}/s/live.m3u8`, { headers });
  await fetch(`${playback.url}/s/live.m3u8`, { headers });
  await fetch(`${playback.url}/s/live.m3u8`, { headers: { 'user-agent': 'one' } });
  await fetch(`${playback.url}/s/live.m3u8`, { headers: { 'user-agent': 'two' } });
  await playback.viewers.flush();
  expect(await playback.viewers.count('s')).toBe(3);
});
