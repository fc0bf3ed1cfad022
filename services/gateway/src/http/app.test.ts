import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { httpRefusal, useGateways } from '../testing/use-gateways.js';

const { gatewayWith } = useGateways();

describe('the page', () => {
  test('is served to publishers and viewers', async () => {
    const { url } = await gatewayWith();
    const page = async (path: string) => {
      const response = await fetch(url + path);
      return [await response.text(), response.headers.get('cache-control')];
    };
    expect(await page('/')).toEqual(['<title>publish</title>', 'public, max-age=0']);
    expect(await page('/watch/abc-_123')).toEqual(['<title>watch</title>', 'no-cache']);
    expect(await page('/assets/app-1a2b.js')).toEqual([
      'export {};',
      'public, max-age=31536000, immutable',
    ]);
  });

  test('may do only what it needs, also over plain http', async () => {
    const { url, port } = await gatewayWith();
    const { headers } = await fetch(url);
    expect(headers.get('content-security-policy')?.split(';')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "media-src 'self' blob:",
      "worker-src 'self' blob:",
      `connect-src 'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port}`,
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'self'",
    ]);
    expect(headers.get('permissions-policy')).toBe(
      'camera=(self), microphone=(self), display-capture=(self)',
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.has('strict-transport-security')).toBe(false);
    expect(headers.has('x-powered-by')).toBe(false);
  });

  test('a gateway without a page serves everything else', async () => {
    const { url } = await gatewayWith({ WEB_DIR: '/nowhere' });
    expect(await httpRefusal(fetch(url))).toEqual([404, 'not_found']);
    expect(await httpRefusal(fetch(`${url}/watch/abc`))).toEqual([404, 'not_found']);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test.each(['/nothing', '/watch/a.b', '/watch', '/assets/none.js', '/hls', '/api'])(
    '%s is a 404 in JSON',
    async (path) => {
      const { url } = await gatewayWith();
      expect(await httpRefusal(fetch(url + path))).toEqual([404, 'not_found']);
    },
  );

  test('an address that is not well-formed is a Bad Request', async () => {
    const { url } = await gatewayWith();
    expect(await httpRefusal(fetch(`${url}/watch/%E0%A4%A`))).toEqual([400, 'bad_request']);
  });
});

describe('under a base path', () => {
  const settings = { BASE_PATH: '/cast' };

  test('everything is there, whether a proxy took the path off or not', async () => {
    const { url } = await gatewayWith(settings);
    for (const base of ['/cast', '']) {
      expect(await (await fetch(`${url}${base}/`)).text()).toBe('<title>publish</title>');
      expect(await (await fetch(`${url}${base}/watch/abc`)).text()).toBe('<title>watch</title>');
      for (const path of ['/assets/app-1a2b.js', '/healthz'])
        expect((await fetch(url + base + path)).status).toBe(200);
      for (const path of ['/hls/x/live.m3u8', '/api/sessions/x'])
        expect(await httpRefusal(fetch(url + base + path))).toEqual([404, 'not_found']);
      expect((await fetch(`${url}${base}/ingest`)).status).toBe(426);
    }
    expect(await httpRefusal(fetch(`${url}/castle/`))).toEqual([404, 'not_found']);
  });

  test('without the slash at its end, the page is found', async () => {
    const { url } = await gatewayWith(settings);
    const response = await fetch(`${url}/cast`);
    expect(response.url).toBe(`${url}/cast/`);
    expect(await response.text()).toBe('<title>publish</title>');
  });

  test('publishers are told addresses that begin with it', async () => {
    const { ingestUrl } = await gatewayWith({ ...settings, RECORD: '1' });
    const { started } = await IngestClient.start(ingestUrl.replace('/ingest', '/cast/ingest'));
    const id = started.sessionId;
    expect(started).toMatchObject({
      playlistUrl: `/cast/hls/${id}/live.m3u8`,
      watchUrl: `/cast/watch/${id}`,
      recording: { url: `/cast/api/sessions/${id}/recording.mp4` },
    });
  });
});

test.each(['/ingest?x=1', '/live/x'])(
  '%s without an upgrade says that a proxy dropped it, and what to upgrade to',
  async (path) => {
    const { url } = await gatewayWith();
    const response = await fetch(url + path);
    expect(response.headers.get('upgrade')).toBe('websocket');
    expect(response.headers.get('connection')).toMatch(/\bupgrade\b/i);
    expect(await response.clone().text()).toMatch(/proxy.*proxy_set_header Upgrade/);
    expect(await httpRefusal(Promise.resolve(response))).toEqual([426, 'upgrade_required']);
  },
);

describe('a request under another name', () => {
  const asked = async (
    port: number,
    host: string | undefined,
    path = '/api/sessions/x',
    more = {},
  ) => {
    const headers = host === undefined ? {} : { host, ...more };
    const request = get({ port, host: '127.0.0.1', path, headers, setHost: host !== undefined });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = (await response.setEncoding('utf8').toArray()).join('');
    return [response.statusCode, body] as const;
  };
  const paths = ['/', '/watch/x', '/api/sessions', '/hls/x/live.m3u8', '/metrics', '/healthz'];

  test.each(paths)('gets nothing of %s but a sentence that names the setting', async (path) => {
    const { port } = await gatewayWith();
    const [status, body] = await asked(port, 'rebound.example:80', path);
    expect(status).toBe(421);
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    expect(error.code).toBe('misdirected_request');
    expect(error.message).toMatch(/rebound\.example.*PUBLIC_URL.*ALLOWED_ORIGINS/);
  });

  test('is answered with a page if a person opened it', async () => {
    const { port } = await gatewayWith();
    const [status, body] = await asked(port, 'rebound.example', '/', {
      accept: 'text/html,*/*;q=0.8',
    });
    expect(status).toBe(421);
    expect(body).toMatch(/^<!doctype html>[^]*rebound.example[^]*PUBLIC_URL/);
  });

  test('nor does a WebSocket', async () => {
    const { port, ingestUrl } = await gatewayWith();
    const headers = { host: 'rebound.example', origin: 'http://rebound.example' };
    await expect(IngestClient.connect(ingestUrl, { headers })).rejects.toThrow('421');
    await IngestClient.connect(ingestUrl, { headers: { host: `localhost:${port}` } });
  });

  test('is answered if the name is the server’s own, or of a site that may use it', async () => {
    const settings = {
      PUBLIC_URL: 'https://cast.example',
      ALLOWED_ORIGINS: 'https://site.example',
    };
    const { port } = await gatewayWith(settings);
    for (const host of ['cast.example', 'site.example', `localhost:${port}`, '[::1]'])
      expect((await asked(port, host))[0]).toBe(404);
    expect((await asked(port, 'x; script-src'))[0]).toBe(421);
  });
});
