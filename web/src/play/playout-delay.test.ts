import { expect, test } from 'vitest';
import { PlayoutDelay } from './playout-delay.js';

/** Parts of 0.1 s from `from` to `to`, each of which arrives `delays` later, in turn. */
function arrive(delay: PlayoutDelay, from: number, to: number, delays: number[]): void {
  for (let part = from * 10; part < to * 10; part++) {
    const late = delays[part % delays.length] ?? 0;
    delay.onArrival(part / 10 + late, part / 10);
  }
}

test('playback stays a tenth of a second behind what arrives often', () => {
  const delay = new PlayoutDelay();
  expect(delay.wanted).toBeUndefined();
  arrive(delay, 0, 10, [0.2]);
  expect(delay.wanted).toBeCloseTo(0.3);
  arrive(delay, 10, 15, [0.2, 0.25, 0.5]);
  expect(delay.wanted).toBeCloseTo(0.6);
});

test('one late arrival delays nobody', () => {
  const delay = new PlayoutDelay();
  arrive(delay, 0, 10, [0.2]);
  delay.onArrival(11, 10);
  arrive(delay, 10.1, 12, [0.2]);
  expect(delay.wanted).toBeCloseTo(0.3);
});

test('arrivals that were often late are forgotten in half a minute', () => {
  const delay = new PlayoutDelay();
  arrive(delay, 0, 5, [0.2, 0.7]);
  expect(delay.wanted).toBeCloseTo(0.8);
  arrive(delay, 5, 10, [0.2]);
  expect(delay.wanted).toBeCloseTo(0.8);
  arrive(delay, 10, 35, [0.2]);
  expect(delay.wanted).toBeCloseTo(0.3);
});

test('an interruption does not keep playback more than 1.5 s further behind', () => {
  const delay = new PlayoutDelay();
  arrive(delay, 0, 10, [0.2]);
  for (const part of [10, 10.1, 10.2, 10.3, 10.4]) delay.onArrival(18, part);
  expect(delay.wanted).toBeCloseTo(0.2 + 1.5 + 0.1);
});

test('nothing is known after playback went elsewhere', () => {
  const delay = new PlayoutDelay();
  delay.onArrival(0.7, 0);
  delay.clear();
  expect(delay.wanted).toBeUndefined();
});

test('hours of arrivals take no more memory than seconds', () => {
  const delay = new PlayoutDelay();
  arrive(delay, 0, 4 * 3600, [0.2, 0.4]);
  expect(delay.wanted).toBeCloseTo(0.5);
});
