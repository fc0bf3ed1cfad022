import { ConfigError } from '@facecast/shared/runtime/config';
import { describe, expect, test } from 'vitest';
import { readSegmenterConfig } from './config.js';

describe('the settings', () => {
  test('have defaults', () => {
    expect(readSegmenterConfig({})).toMatchObject({
      FPS: 30,
      PART_SECONDS: 0.1,
      SEGMENT_SECONDS: 1,
      WINDOW_SECONDS: 30,
      RETENTION_MINUTES: 10,
    });
  });

  test.each([
    [{ WINDOW_SECONDS: '11', SEGMENT_SECONDS: '2' }, 'WINDOW_SECONDS: must be at least 12'],
    [{ WINDOW_SECONDS: '0' }, 'WINDOW_SECONDS'],
    [{ PART_SECONDS: '0.11' }, 'PART_SECONDS: FPS x PART_SECONDS must be a whole number'],
    [{ SEGMENT_SECONDS: '1.05', FPS: '20' }, 'SEGMENT_SECONDS must be a whole number of PART'],
  ])('%j is refused with the reason', (env, reason) => {
    expect(() => readSegmenterConfig(env)).toThrow(ConfigError);
    expect(() => readSegmenterConfig(env)).toThrow(reason);
  });
});
