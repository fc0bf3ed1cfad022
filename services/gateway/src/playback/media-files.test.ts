import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NEXT, ENDED, playbackRefusal, usePlayback } from '../testing/use-playback.js';

const playback = usePlayback();
const { publish, tell, media, waiting, raw } = playback;

describe('media files', () => {
  test.each([
    ['init-0.mp4', 'video/mp4'],
    ['39.m4s', 'video/iso.segment'],
    ['40.3.m4s', 'video/iso.segment'],
  ])('%s comes as %s, to be kept', async (name, type) => {
    const bytes = Buffer.from([0, 1, 2, 255]);
    await media(name, bytes);
    const response = await fetch(`${playback.url}/s/${name}`);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'cache-control': 'public, max-age=30, immutable',
      'access-control-allow-origin': '*',
      'accept-ranges': 'bytes',
    });
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  test.each(['39.m4s', '40.3.m4s'])('%s comes in ranges, and HEAD tells its size', async (name) => {
    await media(name, '0123456789');
    const range = await fetch(`${playback.url}/s/${name}`, { headers: { range: 'bytes=2-4' } });
    expect([range.status, await range.text()]).toEqual([206, '234']);
    expect(range.headers.get('content-range')).toBe('bytes 2-4/10');
    const beyond = fetch(`${playback.url}/s/${name}`, { headers: { range: 'bytes=20-' } });
    expect(await playbackRefusal(beyond)).toEqual([416, 'range_not_satisfiable']);
    const head = await fetch(`${playback.url}/s/${name}`, { method: 'HEAD' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['10', '']);
  });

  test('rfc8216bis 6.2.6: the hinted part is sent when it is whole', async () => {
    const answers = Array.from({ length: 50 }, () => fetch(`${playback.url}/s/40.4.m4s`));
    await waiting(50);
    await media('40.4.m4s', 'the part');
    await publish(NEXT);
    tell();
    for (const answer of answers) expect(await (await answer).text()).toBe('the part');
  });

  test('rfc8216bis 6.2.6: a part that was hinted and never came is a 404', async () => {
    const answer = fetch(`${playback.url}/s/40.4.m4s`);
    await waiting(1);
    await publish(ENDED);
    tell();
    expect(await playbackRefusal(answer)).toEqual([404, 'not_found']);
  });

  test.each(['40.5.m4s', '40.m4s', 'init-7.mp4', '9.m4s'])(
    'rfc8216bis 6.2.6: %s, unknown and not hinted, is a 404',
    async (name) =>
      expect(await playbackRefusal(fetch(`${playback.url}/s/${name}`))).toEqual([404, 'not_found']),
  );

  test.each([
    's/session.json',
    's/faces.ndjson',
    's/live.m3u8.tmp',
    's/..%2Fsecret.m4s',
    '..%2Fsecret/1.m4s',
    's/%2e%2e/1.m4s',
    '%2e%2e/live.m3u8',
    'a%00b/live.m3u8',
    's/1.m4s%00.mp4',
    's/.%2f1.m4s',
    '.s/1.m4s',
    's//1.m4s/',
    `${'s'.repeat(65)}/live.m3u8`,
    's/a/b.m4s',
  ])('nothing else is served: %s', async (path) => {
    for (const name of ['session.json', 'faces.ndjson', 'live.m3u8.tmp'])
      await media(name, 'secret');
    await writeFile(join(playback.hlsDir, 'secret.m4s'), 'secret');
    const { status, body } = await raw(path);
    expect(status).toBe(404);
    expect(body.toString()).toContain('"not_found"');
  });

  test('nothing can be sent there, but a page may ask what it can', async () => {
    const post = fetch(`${playback.url}/s/live.m3u8`, { method: 'POST' });
    expect(await playbackRefusal(post)).toEqual([405, 'method_not_allowed']);
    const options = await fetch(`${playback.url}/s/live.m3u8`, { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('access-control-allow-headers')).toContain('X-Facecast-Viewer');
  });
});
