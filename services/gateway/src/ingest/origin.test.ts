import { expect, test } from 'vitest';
import { isAllowedOrigin, originRefusal } from './origin.js';

const LIST = ['https://example.org', 'http://example.org:8080'];

test.each<[what: string, string | undefined, string | undefined, string[] | undefined, boolean]>([
  ['the page of the gateway itself', 'http://localhost:4000', 'localhost:4000', undefined, true],
  ['the same over https', 'https://cam.example', 'cam.example', undefined, true],
  ['a host in capitals', 'http://cam.example', 'CAM.example', undefined, true],
  ['a host with the port of https', 'https://cam.example', 'cam.example:443', undefined, true],
  ['a host with the port of http', 'http://cam.example', 'cam.example:80', undefined, true],
  ['a port that only begins like that', 'http://cam.example', 'cam.example:8080', undefined, false],
  ['another port', 'http://localhost:3000', 'localhost:4000', undefined, false],
  ['another host', 'http://evil.example', 'localhost:4000', undefined, false],
  ['a page without an origin', 'null', 'localhost:4000', undefined, false],
  ['nonsense', '::', 'localhost:4000', undefined, false],
  ['a program that is no browser', undefined, 'localhost:4000', undefined, true],
  ['one of the list', 'https://example.org', 'inner:4000', LIST, true],
  ['the same host, another scheme', 'http://example.org', 'inner:4000', LIST, false],
  ['the own page where there is a list', 'http://inner:4000', 'inner:4000', LIST, true],
  ['a program, where there is a list', undefined, 'inner:4000', LIST, true],
])('%s', (_what, origin, host, allowed, expected) => {
  expect(isAllowedOrigin({ origin, host }, allowed)).toBe(expected);
});

test('the refusal names the origin, the host, and the settings that would change it', () => {
  const sentence = originRefusal({ origin: 'https://cam.example', host: '127.0.0.1:4000' });
  expect(sentence).toMatch(
    /https:\/\/cam\.example .*127\.0\.0\.1:4000.*PUBLIC_URL=https:\/\/cam\.example.*Host \$host.*ALLOWED_ORIGINS/,
  );
});

test.each(['null', '::', `https://${'a'.repeat(300)}.example`])(
  'the refusal does not repeat %j',
  (origin) => {
    expect(originRefusal({ origin, host: 'localhost' })).not.toContain(origin);
  },
);
