import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, opsHost, readConfig } from './config.js';
import { cadenceFields, cadenceOf, checkCadence, OPS_PORT, REDIS_URL } from './settings.js';

const cadence = z.object(cadenceFields).superRefine(checkCadence);

test('a setting that is not given has its default', () => {
  expect(readConfig(z.object({ OPS_PORT }), {})).toEqual({ OPS_PORT: 9090 });
});

test('an empty setting counts as not given', () => {
  expect(readConfig(z.object({ OPS_PORT }), { OPS_PORT: '' })).toEqual({ OPS_PORT: 9090 });
});

test('each bad key is named in a line of its own', () => {
  const read = () =>
    readConfig(z.object({ OPS_PORT, REDIS_URL }), { OPS_PORT: 'x', REDIS_URL: 'nonsense' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/^OPS_PORT: .*\nREDIS_URL: .*$/);
});

test('parts and segments are whole frames', () => {
  expect(cadenceOf(readConfig(cadence, {}))).toEqual({
    fps: 30,
    framesPerBatch: 3,
    framesPerSegment: 30,
  });
});

test.each([
  [{ FPS: '25' }, 'PART_SECONDS'],
  [{ SEGMENT_SECONDS: '1.05' }, 'SEGMENT_SECONDS'],
  [{ PART_SECONDS: '0.2', SEGMENT_SECONDS: '0.5' }, 'SEGMENT_SECONDS'],
])('%o is refused at start, naming %s', (env, key) => {
  expect(() => readConfig(cadence, env)).toThrow(key);
});

test('a value may come from a file, as secrets of containers do', () => {
  const directory = mkdtempSync(join(tmpdir(), 'facecast-config-'));
  const file = join(directory, 'redis-url');
  writeFileSync(file, 'redis://:secret@redis:6379\n');
  const read = (env: Record<string, string>) => readConfig(z.object({ REDIS_URL }), env).REDIS_URL;
  expect(read({ REDIS_URL_FILE: file, REDIS_URL: '' })).toBe('redis://:secret@redis:6379');
  expect(read({ REDIS_URL_FILE: file, REDIS_URL: 'redis://other' })).toBe('redis://other');
  expect(() => read({ REDIS_URL_FILE: join(directory, 'none') })).toThrow(
    /^REDIS_URL_FILE: .* cannot be read \(ENOENT\)$/,
  );
  rmSync(directory, { recursive: true });
});

test.each(['localhost', '1.2.3', 'everywhere'])('%s is no address to listen at', (OPS_HOST) => {
  expect(() => opsHost({ OPS_HOST })).toThrow(/^OPS_HOST: an IP address, or \* for all$/);
});

test('health and metrics are on loopback unless something else is said', () => {
  expect(opsHost({})).toBe('127.0.0.1');
  expect(opsHost({ OPS_HOST: '*' })).toBe('*');
});

test.each([
  'redis://:hid#den@redis:6379',
  'redis://:hid/den@redis:6379',
  'redis://hid#den@redis',
  'redis://user:12/hidden@redis:6379',
  'redis://:hid?den@redis:6379',
  'redis://:hid@den#hid@redis:6379',
  'redis://:hid%zz@redis:6379',
])('%s is refused in one line that has no part of the password', (url) => {
  const read = () => readConfig(z.object({ REDIS_URL }), { REDIS_URL: url });
  expect(read).toThrow(/^REDIS_URL: the password has to be percent-encoded: .*$/);
  expect(read).not.toThrow(/hid|den|12/);
});

test.each(['redis://:a@b@redis:6379', 'redis://u:a%23b@redis:6379/1', 'rediss://redis?family=6'])(
  '%s is an address of Redis',
  (url) => {
    expect(readConfig(z.object({ REDIS_URL }), { REDIS_URL: url }).REDIS_URL).toBe(url);
  },
);
