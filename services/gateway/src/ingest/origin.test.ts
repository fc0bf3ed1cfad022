import { expect, test } from 'vitest';
import { isAllowedOrigin } from './origin.js';

const LIST = ['https://example.org', 'http://example.org:8080'];

test.each<[what: string, string | undefined, string | undefined, string[] | undefined, boolean]>([
  ['the page of the gateway itself', 'http://localhost:4000', 'localhost:4000', undefined, true],
  ['the same over https', 'https://cam.example', 'cam.example', undefined, true],
  ['a host in capitals', 'http://cam.example', 'CAM.example', undefined, true],
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
