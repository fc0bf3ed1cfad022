import { describe, expect, test } from 'vitest';
import { problemOfCaptureError } from './source.js';

describe('a source that cannot be opened', () => {
  test.each([
    ['camera', 'NotAllowedError', 'permission_refused'],
    ['camera', 'NotFoundError', 'no_camera'],
    ['camera', 'OverconstrainedError', 'no_camera'],
    ['camera', 'NotReadableError', 'camera_busy'],
    ['camera', 'AbortError', 'camera_busy'],
    ['screen', 'NotAllowedError', 'screen_refused'],
    ['screen', 'NotReadableError', 'source_failed'],
    ['camera', 'TypeError', 'source_failed'],
  ] as const)('a %s with %s is told as %s', (kind, errorName, problem) => {
    expect(problemOfCaptureError(kind, errorName)).toBe(problem);
  });
});
