import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { expect, test } from 'vitest';
import { endingOf } from './ending.js';
import { endedNote } from './watch-messages.js';

const NOON = new Date(2020, 5, 1, 12, 0).getTime();

/** Stats of a stream of 90 s at 30 frames a second, hidden a minute before it ended at noon. */
const LAST = {
  ...{ framesOut: 2_700, fps: 30, recording: 'on' },
  shown: { effect: 'blur', hidden: true, sinceFrame: 900, since: NOON - 60_000 },
} as Stats;

test('when a stream ended follows from its last stats, and how long it was', () => {
  expect(endingOf(LAST)).toEqual({ isRecorded: true, endedAt: NOON, seconds: 90 });
  expect(endingOf(undefined)).toEqual({ isRecorded: false });
});

test('a viewer is told of it, of what is left, and of nothing that is not known', () => {
  const late = { name: 'ended', sawItLive: false } as const;
  expect(endedNote({ ...late, ...endingOf(LAST) })).toMatch(
    /^The stream ended on Mon,? 1 Jun at 12:00, after 1 minute 30 seconds\. Its recording can/,
  );
  expect(endedNote({ ...late, ...endingOf(undefined) })).toMatch(/^The stream ended\. Its last/);
});
