import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, readConfig } from './config.js';
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
