import { errorCodeSchema } from '@facecast/shared/protocol/ingest-protocol';
import { describe, expect, test } from 'vitest';
import { problemOfCode, problemSentence } from './problem.js';

describe('problems', () => {
  test('every error code of the server has a sentence of its own', () => {
    const sentences = errorCodeSchema.options.map((code) => problemSentence(problemOfCode(code)));
    expect(new Set(sentences).size).toBe(errorCodeSchema.options.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });

  test('a code that this page does not know counts as an error of the server', () => {
    expect(problemOfCode('from_the_future')).toBe('internal');
    expect(problemOfCode('toString')).toBe('internal');
  });
});
