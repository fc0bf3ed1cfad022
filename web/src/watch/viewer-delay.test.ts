import { expect, test } from 'vitest';
import { viewerDelayOf, type ViewerDelaySigns } from './viewer-delay.js';
import { delayNote, watchStateWords } from './watch-messages.js';

const IN_TIME: ViewerDelaySigns = {
  ...{ stillSeconds: 0.4, hasUnlisted: false, listedSeconds: 0.4 },
  ...{ pipelineSeconds: 0.3, shownSeconds: 0.8 },
};
const delay = (signs: Partial<ViewerDelaySigns>) => viewerDelayOf({ ...IN_TIME, ...signs });

test('a picture in time is late by nobody’s fault', () => {
  expect(delay({})).toBeUndefined();
  const unknown = { stillSeconds: undefined, listedSeconds: undefined };
  expect(
    delay({ ...unknown, pipelineSeconds: undefined, shownSeconds: undefined }),
  ).toBeUndefined();
});

test('the fault is where the time is lost', () => {
  expect(delay({ listedSeconds: 9, pipelineSeconds: 8 })?.cause).toBe('server');
  expect(delay({ listedSeconds: 9 })?.cause).toBe('publisher');
  expect(delay({ shownSeconds: 9 })?.cause).toBe('viewer');
  expect(delay({ shownSeconds: 3.4, listedSeconds: 2.9 })?.cause).toBe('publisher');
});

test('a stream that stands still is nobody’s for certain, unless the server holds pictures back', () => {
  expect(delay({ stillSeconds: 9, shownSeconds: 10 })).toEqual({ seconds: 10, cause: 'unknown' });
  expect(delay({ stillSeconds: 9, hasUnlisted: true })?.cause).toBe('server');
});

test('it is said beside how late the picture is, and never that the stream is in time when it is not', () => {
  const live = { name: 'live' } as const;
  expect(watchStateWords(live)).toBe('Live');
  expect(watchStateWords(live, { seconds: 9.2, cause: 'server' })).toBe('Live, 9 s late');
  const notes = (['publisher', 'server', 'unknown', 'viewer'] as const).map((cause) =>
    delayNote({ seconds: 9.2, cause }),
  );
  expect(notes[0]).toMatch(/publisher’s connection/);
  expect(notes[1]).toMatch(/server/);
  expect(notes[2]).toMatch(/publisher’s .*or the server/);
  expect(notes.map((note) => note.includes('in time'))).toEqual([false, false, false, true]);
  expect(delayNote(undefined)).toBe('');
});
