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
    expect(problemOfCaptureError(kind, false, errorName)).toBe(problem);
  });
  test('a camera that may lack a microphone only is told so', () => {
    const problem = problemOfCaptureError('camera', true, 'NotFoundError');
    expect(problem).toBe('no_camera_or_microphone');
  });
});
