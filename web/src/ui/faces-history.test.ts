import { expect, test } from 'vitest';
import { FacesHistory } from './faces-history.js';

test('the plot shows the last minute and no more', () => {
  const history = new FacesHistory();
  for (let second = 0; second <= 100; second++) history.add(second, second === 10 ? 9 : 2);
  const [times, counts] = history.points;
  expect(times[0]).toBe(40);
  expect(times.at(-1)).toBe(100);
  expect(counts).toHaveLength(times.length);
  expect(history.most).toBe(2);
});

test('figures that come too fast do not make the history grow', () => {
  const history = new FacesHistory();
  for (let index = 0; index < 10_000; index++) history.add(index / 1_000, 1);
  expect(history.points[0]).toHaveLength(240);
});

test('where nobody looked there is a gap', () => {
  const history = new FacesHistory();
  history.add(1, 2);
  history.add(2, undefined);
  expect(history.points).toEqual([
    [1, 2],
    [2, null],
  ]);
  expect(history.most).toBe(2);
});

test('a new stream begins with an empty plot', () => {
  const history = new FacesHistory();
  history.add(1, 5);
  history.clear();
  expect(history.points).toEqual([[], []]);
  expect(history.most).toBe(0);
});
