import { expect, test } from 'vitest';
import { ArrivalClock } from './arrival-clock.js';

/** The times of data with these timestamps, in ms, that came so many ms after them. */
function timesOf(clock: ArrivalClock, timestamps: number[], lateMs: number[], originMs = 0) {
  return timestamps.map((timestamp, n) => {
    const time = clock.timeOf(timestamp / 1000, (originMs + timestamp + lateMs[n]!) / 1000);
    return time && Math.round(1000 * time);
  });
}

const NONE = Array.from({ length: 5 }, () => undefined);

test('data that waited to be read do not make a track late', () => {
  const clock = new ArrivalClock();
  const stamps = [0, 10, 20, 30, 40, 50, 60];
  expect(timesOf(clock, stamps, [50, 40, 30, 20, 12, 90, 12], 700)).toEqual([...NONE, 762, 772]);
});

test('timestamps that begin again are measured again', () => {
  const clock = new ArrivalClock();
  timesOf(clock, [1560, 1570, 1580, 1590, 1600], [40, 30, 20, 10, 5]);
  const stamps = [10, 20, 30, 40, 50, 60];
  expect(timesOf(clock, stamps, [5, 5, 5, 5, 5, 5], 1600)).toEqual([...NONE, 1665]);
});
