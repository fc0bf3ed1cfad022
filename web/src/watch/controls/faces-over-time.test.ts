import { expect, test } from 'vitest';
import { recordedFacesWords } from '../watch-messages.js';
import { FacesOverTime, pathOf, STRETCHES } from './faces-over-time.js';

const lineAt = (t: number, faces: number) =>
  JSON.stringify({ frame: 30 * t, t, faces: new Array(faces).fill({}) });

test('each stretch of a recording has its most faces at once, and those without a face have none', () => {
  const faces = new FacesOverTime(STRETCHES);
  for (const [t, count] of [
    [0.1, 1],
    [0.5, 3],
    [0.9, 2],
    [7, 1],
    [STRETCHES, 4],
  ] as const)
    faces.add(lineAt(t, count));
  expect(faces.most).toHaveLength(STRETCHES);
  expect(faces.most.slice(0, 9)).toEqual([3, 0, 0, 0, 0, 0, 0, 1, 0]);
  // What is written of the last moment may be a little later than the end.
  expect(faces.most.at(-1)).toBe(4);
});

test('the graph reaches its top at the most faces', () => {
  expect(pathOf([0, 2, 1])).toBe('M0 1V1h1V0h1V0.5h1V1z');
  expect(pathOf([0, 0])).toBe('M0 1V1h1V1h1V1z');
});

test('who does not see the graph is told its gist', () => {
  expect(recordedFacesWords([0, 3, 1, 0])).toMatch(/at most 3 at once, .* in 50 % of it/);
  expect(recordedFacesWords([0, 0])).toMatch(/^No face/);
});
