import { expect, test } from 'vitest';
import {
  countFigure,
  millisecondsFigure,
  pictureFigure,
  secondsFigure,
  viewersFigure,
} from './figures.js';

test('figures are short, have their unit, and are a dash where unknown', () => {
  expect(secondsFigure(0.8372)).toBe('0.8 s');
  expect(secondsFigure(undefined)).toBe('-');
  expect(millisecondsFigure(41.6)).toBe('42 ms');
  expect(millisecondsFigure(undefined)).toBe('-');
  expect(countFigure(12_345)).toBe('12,345');
  expect(countFigure(undefined)).toBe('-');
  expect(pictureFigure(640, 480, 30)).toBe('640 × 480, 30 fps');
  expect(pictureFigure(0, 0, 30)).toBe('-');
  expect([0, 1, 2].map(viewersFigure)).toEqual([
    'No one is watching yet.',
    'Only you are watching.',
    '2 watching, with you.',
  ]);
});
