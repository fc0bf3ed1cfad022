import { expect, test } from 'vitest';
import { readFrameExtractorConfig } from './config.js';

test('without a setting the picture is at most 1280x720, at 30 frames a second', () => {
  expect(readFrameExtractorConfig({})).toMatchObject({ MAX_WIDTH: 1280, MAX_HEIGHT: 720, FPS: 30 });
});

test.each([
  ['MAX_WIDTH', '641'],
  ['MAX_HEIGHT', '0'],
  ['PART_SECONDS', '0.11'],
])('%s=%s is refused by its name', (key, value) => {
  expect(() => readFrameExtractorConfig({ [key]: value })).toThrow(key);
});
