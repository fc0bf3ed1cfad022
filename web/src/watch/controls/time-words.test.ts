import { expect, test } from 'vitest';
import { clockTime, spokenTime } from './time-words.js';

test('times are shown as clocks show them', () => {
  expect([0, 5.9, 65, 754, 3723].map(clockTime)).toEqual([
    ...['0:00', '0:05', '1:05', '12:34'],
    '1:02:03',
  ]);
  expect(clockTime(NaN)).toBe('0:00');
});

test('and are read to who does not see them', () => {
  expect([0, 1, 5, 65, 3600, 3723].map(spokenTime)).toEqual([
    ...['0 seconds', '1 second', '5 seconds', '1 minute 5 seconds'],
    ...['1 hour', '1 hour 2 minutes 3 seconds'],
  ]);
});
