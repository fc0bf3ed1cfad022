import { describe, expect, test } from 'vitest';
import { serverPath } from './server-path.js';

describe("the server's addresses are reached", () => {
  test.each(['/', '/index.html', '/watch/abc-_123'])('as they are from %s', (pathname) => {
    expect(serverPath('/hls/x/live.m3u8', { pathname })).toBe('/hls/x/live.m3u8');
  });

  test.each(['/face/cast/', '/face/cast/index.html', '/face/cast/watch/abc'])(
    "under the proxy's path from %s, also where the server has put it before them",
    (pathname) => {
      expect(serverPath('/watch/x', { pathname })).toBe('/face/cast/watch/x');
      expect(serverPath('/face/cast/watch/x', { pathname })).toBe('/face/cast/watch/x');
    },
  );
});
