import { expect, test } from 'vitest';
import { delayOf, type DelaySigns } from './delay.js';

const IN_TIME: DelaySigns = {
  ...{ silentSeconds: 0.1, waitedSeconds: 0.1, pipelineSeconds: 0.3 },
  ...{ stillSeconds: 0.4, listedSeconds: 0.4, shownSeconds: 0.6 },
  isHeldBack: false,
};
const causeOf = (signs: Partial<DelaySigns>) => delayOf({ ...IN_TIME, ...signs })?.cause;

test('a stream in time has no delay, and neither has one of which nothing is known', () => {
  expect(delayOf(IN_TIME)).toBeUndefined();
  const unknown = { silentSeconds: undefined, waitedSeconds: undefined, isHeldBack: false };
  const nothing = {
    ...{ pipelineSeconds: undefined, stillSeconds: undefined },
    ...{ listedSeconds: undefined, shownSeconds: undefined },
  };
  expect(delayOf({ ...unknown, ...nothing })).toBeUndefined();
});

test('the fault is where the time is lost', () => {
  expect(causeOf({ silentSeconds: 3 })).toBe('source');
  expect(causeOf({ listedSeconds: 9, pipelineSeconds: 8 })).toBe('server');
  expect(causeOf({ waitedSeconds: 5, pipelineSeconds: 4 })).toBe('server');
  expect(causeOf({ waitedSeconds: 5 })).toBe('connection');
  expect(causeOf({ listedSeconds: 9 })).toBe('connection');
  expect(causeOf({ shownSeconds: 30 })).toBe('player');
  expect(causeOf({ shownSeconds: 3.4, listedSeconds: 2.9 })).toBe('connection');
  // Nothing new is listed of what the server has; of what it does not have.
  expect(causeOf({ stillSeconds: 8, shownSeconds: 9 })).toBe('server');
  expect(causeOf({ stillSeconds: 8, waitedSeconds: 8 })).toBe('connection');
  expect(causeOf({ stillSeconds: 8, waitedSeconds: 8, isHeldBack: true })).toBe('server');
});

test('the delay is that of the picture on the screen, where that is longer', () => {
  expect(delayOf({ ...IN_TIME, listedSeconds: 5, shownSeconds: 9 })?.seconds).toBe(9);
  expect(delayOf({ ...IN_TIME, listedSeconds: 9, shownSeconds: undefined })?.seconds).toBe(9);
});
