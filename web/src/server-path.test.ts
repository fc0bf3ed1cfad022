import { describe, expect, test } from 'vitest';
import { serverPath } from './server-path.js';

describe("the server's addresses are reached", () => {
  test.each(['/', '/index.html', '/watch/abc-_123'])('as they are from %s', (pathname) => {
    expect(serverPath('/hls/x/live.m3u8', { pathname })).toBe('/hls/x/live.m3u8');
  });

  test.each(['/face/cast/', '/face/cast/index.html', '/face/cast/watch/abc'])(
    "under the proxy's path from %s",
    (pathname) => {
      expect(serverPath('/watch/x', { pathname })).toBe('/face/cast/watch/x');
    },
  );

  test("under a proxy's path that looks like one of the server's", () => {
    expect(serverPath('/api/sessions/x', { pathname: '/api/' })).toBe('/api/api/sessions/x');
  });
});
