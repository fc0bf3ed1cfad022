import { expect, test } from 'vitest';
import { PlayoutDelay } from './playout-delay.js';

/** Parts of 0.1 s from `from` to `to`, each of which arrives `delays` later, in turn. */
function arrive(delay: PlayoutDelay, from: number, to: number, delays: number[]): void {
  for (let part = from * 10; part < to * 10; part++) {
    const late = delays[part % delays.length] ?? 0;
    delay.onArrival(part / 10 + late, part / 10);
  }
}

test('playback stays a tenth of a second behind the latest arrival', () => {
  const delay = new PlayoutDelay();
  expect(delay.wanted).toBeUndefined();
  arrive(delay, 0, 10, [0.2]);
  expect(delay.wanted).toBeCloseTo(0.3);
  arrive(delay, 10, 15, [0.2, 0.25, 0.5]);
  expect(delay.wanted).toBeCloseTo(0.6);
});

test('an arrival that was late is forgotten after 20 seconds', () => {
  const delay = new PlayoutDelay();
  delay.onArrival(0.7, 0);
  arrive(delay, 1, 19, [0.2]);
  expect(delay.wanted).toBeCloseTo(0.8);
  arrive(delay, 19, 22, [0.2]);
  expect(delay.wanted).toBeCloseTo(0.3);
});

test('an interruption does not keep playback more than 1.5 s further behind', () => {
  const delay = new PlayoutDelay();
  arrive(delay, 0, 10, [0.2]);
  delay.onArrival(18, 10);
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
