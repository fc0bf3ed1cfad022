import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PublishTokens } from './publish-tokens.js';

const log = createLogger('gateway', 'silent');
let directory: string;
let file: string;
let now: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'facecast-publishers-'));
  file = join(directory, 'publishers.json');
  now = Date.parse('2026-01-01T12:00:00Z');
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (content: unknown) => writeFileSync(file, JSON.stringify(content));
const tokens = (options: ConstructorParameters<typeof PublishTokens>[0]) =>
  new PublishTokens(options, log, () => now);

test('without any token everybody may publish', () => {
  expect(tokens({}).identify(undefined)).toEqual({ name: undefined, effects: undefined });
  expect(tokens({}).areNeeded).toBe(false);
});

test('with one for all, who knows it may', () => {
  const one = tokens({ token: 'sesame' });
  expect(one.identify('sesame')).toEqual({ name: undefined, effects: undefined });
  for (const wrong of [undefined, '', 'sesam', 'sesame!'])
    expect(one.identify(wrong)).toBeUndefined();
});

test('each publisher of the file has a name, and the effects that it may use', () => {
  const hash = createHash('sha256').update('token of ward 3').digest('hex');
  write([
    { name: 'room 12', token: 'token of room 12', effects: ['pixelate', 'black'] },
    { name: 'ward 3', tokenSha256: hash },
  ]);
  const several = tokens({ token: 'sesame', file });
  expect(several.identify('token of room 12')).toEqual({
    name: 'room 12',
    effects: ['pixelate', 'black'],
  });
  expect(several.identify('token of ward 3')).toEqual({ name: 'ward 3', effects: undefined });
  expect(several.identify(hash)).toBeUndefined();
  expect(several.identify('sesame')?.name).toBeUndefined();
  expect(several.isTheOne('token of room 12')).toBe(false);
  expect(several.isTheOne('sesame')).toBe(true);
});

test('a token works until it expires, and until it is taken out of the file', () => {
  write([
    { name: 'guest', token: 'token of guest', expires: '2026-01-01T12:00:05Z' },
    { name: 'room', token: 'token of room' },
  ]);
  const several = tokens({ file });
  expect(several.identify('token of guest')?.name).toBe('guest');
  now += 5_000;
  expect(several.identify('token of guest')).toBeUndefined();
  write([{ name: 'somebody else', token: 'another token' }]);
  now += 1_000;
  expect(several.identify('token of room')).toBeUndefined();
  expect(several.identify('another token')?.name).toBe('somebody else');
});

test('a file that is broken later changes nothing', () => {
  write([{ name: 'room', token: 'token of room' }]);
  const several = tokens({ file });
  writeFileSync(file, '[{');
  now += 1_000;
  expect(several.identify('token of room')?.name).toBe('room');
});

test.each([
  [[{ name: 'x' }], /has either token or tokenSha256/],
  [[{ name: 'x', token: 'secret', tokenSha256: 'a'.repeat(64) }], /PUBLISHERS_FILE/],
  [[{ name: 'x', token: 'secret 1', effects: ['hat'] }], /0\.effects\.0/],
  [[{ name: 'x', token: 'secret 1', until: '2026' }], /PUBLISHERS_FILE/],
  [{ name: 'x' }, /PUBLISHERS_FILE/],
])('%j is refused at start, and no secret is told', (content, message) => {
  write(content);
  expect(() => tokens({ file })).toThrow(message);
  expect(() => tokens({ file })).not.toThrow(/secret/);
});

test('a file that is not there is refused at start', () => {
  expect(() => tokens({ file })).toThrow(/PUBLISHERS_FILE: .* cannot be read \(ENOENT\)/);
});
