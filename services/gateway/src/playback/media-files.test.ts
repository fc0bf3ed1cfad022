import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NEXT, ENDED, playbackRefusal, usePlayback } from '../testing/use-playback.js';

const playback = usePlayback();
const { publish, tell, media, held, raw } = playback;

describe('media files', () => {
  test.each([
    ['init-0.mp4', 'video/mp4'],
    ['39.m4s', 'video/iso.segment'],
    ['40.3.m4s', 'video/iso.segment'],
  ])('%s comes as %s, and counts only after asking again', async (name, type) => {
    const bytes = Buffer.from([0, 1, 2, 255]);
    await media(name, bytes);
    const response = await fetch(`${playback.url}/s/${name}`);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'cache-control': 'public, no-cache',
      'access-control-allow-origin': '*',
      'accept-ranges': 'bytes',
    });
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  test.each(['init-0.mp4', '39.m4s', '40.3.m4s'])(
    'a cache that has %s is told that it still is so, or that it is gone',
    async (name) => {
      await media(name, '0123456789');
      const url = `${playback.url}/s/${name}`;
      const etag = (await fetch(url)).headers.get('etag') ?? '';
      const asking = () => raw(`s/${name}`, { 'if-none-match': `W/"another", ${etag}` });
      const same = await asking();
      expect([same.status, same.body.length]).toEqual([304, 0]);
      expect(same.headers).toMatchObject({ 'cache-control': 'public, no-cache', etag });
      await media(name, 'another content');
      playback.forgetParts();
      expect((await asking()).status).toBe(200);
      await rm(join(playback.hlsDir, 's', name));
      playback.forgetParts();
      expect((await asking()).status).toBe(404);
    },
  );

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
    await held(50);
    await media('40.4.m4s', 'the part');
    await publish(NEXT);
    tell();
    for (const answer of answers) expect(await (await answer).text()).toBe('the part');
  });

  test('rfc8216bis 6.2.6: a part that was hinted and never came is a 404', async () => {
    const answer = fetch(`${playback.url}/s/40.4.m4s`);
    await held(1);
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

describe('a player on the page of another site', () => {
  const answers = async (headers: Record<string, string>) => {
    await media('39.m4s', '0123456789');
    return Promise.all([
      fetch(`${playback.url}/s/live.m3u8`, { headers }),
      fetch(`${playback.url}/s/39.m4s`, { headers }),
      fetch(`${playback.url}/s/39.m4s`, { method: 'OPTIONS', headers }),
      fetch(`${playback.url}/s/none.m4s`, { headers }),
    ]);
  };

  test('of ALLOWED_ORIGINS may send cookies along: it is named in every answer', async () => {
    for (const { headers, status } of await answers({ origin: 'https://site.example' })) {
      expect(headers.get('access-control-allow-origin')).toBe('https://site.example');
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      if (status !== 404) expect(headers.get('vary')).toMatch(/^Origin\b/);
    }
  });

  test('of any other may not, and plays without; no cache takes the one for the other', async () => {
    for (const { headers, status } of await answers({ origin: 'https://other.example' })) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.has('access-control-allow-credentials')).toBe(false);
      if (status !== 404) expect(headers.get('vary')).toMatch(/^Origin\b/);
    }
  });

  test('learns what a range is part of', async () => {
    for (const { headers } of await answers({ range: 'bytes=2-4' }))
      expect(headers.get('access-control-expose-headers')).toMatch(/Content-Length, Content-Range/);
  });
});
