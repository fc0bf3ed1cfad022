import { expect, test } from 'vitest';
import { facesSeen, searchNote } from './search.js';

const recent = (unsearched: number, hidden = 0) => ({ frames: 30, unsearched, hidden });
const shown = (effect: 'box' | 'blur' | 'none', hidden = false) => ({
  ...{ effect, hidden, sinceFrame: 0, since: 0 },
});

test('the number of faces is unknown if a picture was not searched', () => {
  expect(facesSeen({ faces: 0, recent: recent(0) })).toBe(0);
  expect(facesSeen({ faces: 0, recent: recent(1) })).toBeUndefined();
  expect(facesSeen({ faces: 2, recent: recent(3) })).toBe(2);
  expect(facesSeen({ faces: 2, recent: recent(30) })).toBeUndefined();
});

test('what is not searched in time is said, with what that means for viewers', () => {
  expect(searchNote({ recent: recent(0), shown: shown('blur') })).toBe('');
  expect(searchNote({ recent: recent(12), shown: shown('blur') })).toMatch(/moved is hidden/);
  expect(searchNote({ recent: recent(12, 6), shown: shown('blur') })).toMatch(/whole pictures/);
  expect(searchNote({ recent: recent(12), shown: shown('box') })).toMatch(/without an outline/);
  expect(searchNote({ recent: recent(12), shown: shown('none') })).toBe('');
});

test('that all is hidden is said, also where that is not for want of a search', () => {
  expect(searchNote({ recent: recent(0, 30), shown: shown('blur') })).toMatch(/^Whole pictures/);
  // Some of the last second were hidden, and no more are.
  expect(searchNote({ recent: recent(0, 20), shown: shown('blur') })).toBe('');
});

test('of faces in a picture that its publisher has hidden nothing is said', () => {
  expect(searchNote({ recent: recent(30, 30), shown: shown('blur', true) })).toBe('');
});
