import { describe, expect, test } from 'vitest';
import { sessionCalled } from '../testing/session-called.js';
import type { Delay } from './delay.js';
import {
  arrivalNote,
  clearPartNote,
  promise,
  publishStateNote,
  publishStateWords,
} from './publish-messages.js';

const session = sessionCalled('s1');

describe('what the publish page says', () => {
  test('asking is said in terms of what is asked for', () => {
    expect(publishStateWords({ name: 'asking', source: 'camera' })).toBe('Asking for the camera');
    expect(publishStateWords({ name: 'asking', source: 'screen' })).toBe('Asking for a screen');
    expect(publishStateWords({ name: 'asking', source: 'file' })).toBe('Opening the file');
  });

  test('while less than the best picture is sent, what is sent and why', () => {
    const live = { name: 'live', session } as const;
    const limitation = 'connection';
    const shape = { height: 240, frameRate: 15 };
    expect(publishStateNote(live, { reduction: { limitation, shape } })).toBe(
      'Sending 240p at 15 fps: the connection is slow.',
    );
    expect(publishStateNote(live, { reduction: { limitation, shape: undefined } })).toBe(
      'Sending a coarser picture: the connection is slow.',
    );
    const byServer = { limitation: 'server', shape: undefined } as const;
    expect(publishStateNote(live, { reduction: byServer })).toMatch(/server/);
    expect(publishStateNote(live)).not.toMatch(/Sending/);
  });

  test('a stream that is late is not called live alone, and whose fault it is is said', () => {
    const live = { name: 'live', session } as const;
    const note = (cause: Delay['cause']) =>
      publishStateNote(live, { delay: { seconds: 8.6, cause } });
    expect(publishStateWords(live)).toBe('Live');
    expect(publishStateWords(live, { seconds: 8.6, cause: 'server' })).toBe('Live, 9 s late');
    expect(note('server')).toMatch(/server/);
    expect(note('connection')).toMatch(/connection/);
    expect(note('source')).toBe('The source has given no picture for 9 s.');
    expect(note('player')).toMatch(/this page/);
  });

  test('whoever does not answer is named', () => {
    const lost = { name: 'reconnecting', session, audience: 'everyone', playable: true } as const;
    expect(publishStateNote({ ...lost, fault: 'server' })).toMatch(/^The server/);
    expect(publishStateNote({ ...lost, fault: 'connection' })).toMatch(/^The connection/);
  });

  test('nothing is said to be seen by everyone before it is', () => {
    expect(publishStateNote({ name: 'preview', session })).toMatch(/Only you/);
    const connecting = { name: 'connecting', audience: 'publisher' } as const;
    expect(publishStateWords(connecting)).toBe('Connecting');
    expect(publishStateWords({ ...connecting, audience: 'everyone' })).toBe('Going live');
    expect(promise('box')).toMatch(/face shown/);
  });

  test('that everything is hidden is not said before it is', () => {
    const hidden = { effect: 'blur', hidden: true } as const;
    expect(arrivalNote({ name: 'awaited' }, hidden)).toMatch(/^Not hidden yet/);
    expect(arrivalNote({ name: 'under_way', seconds: 1.4 }, hidden)).toMatch(/still see.*1 s/);
    expect(arrivalNote({ name: 'arrived' }, hidden)).toMatch(/recognise nothing/);
    expect(arrivalNote({ name: 'arrived' }, { ...hidden, hidden: false })).toBe('');
  });

  test('an ended stream tells how much there was and whether the source ran out', () => {
    const ended = { name: 'ended', session, frames: 1_234 } as const;
    expect(publishStateNote({ ...ended, sourceRanOut: false })).toBe(
      'The stream ended after 1,234 pictures.',
    );
    expect(publishStateNote({ ...ended, frames: 1, sourceRanOut: true })).toBe(
      'The source stopped, so the stream ended after 1 picture.',
    );
  });
});

describe('of a recording it is said', () => {
  const note = (...clear: [number, number][]) =>
    clearPartNote({
      ...{ state: 'none', seconds: 100 },
      clearSeconds: clear.reduce((sum, [from, to]) => sum + to - from, 0),
      clear: clear.map(([from, to]) => ({ from, to })),
    });

  test('how much of it shows faces', () => {
    expect(note([0, 11.2])).toBe('In the first 12 s, faces are not hidden.');
    expect(note([0, 75])).toBe('In the first 1 min 15 s, faces are not hidden.');
    expect(note([40, 45])).toBe('In altogether 5 s, faces are not hidden.');
    expect(note([0, 60], [90, 100])).toMatch(/altogether 1 min 10 s/);
    expect(note([0, 100])).toBe('Faces are not hidden in it.');
    expect(note()).toBeUndefined();
  });

  test('that nobody can watch it while it is changed, or where that failed', () => {
    const rest = { seconds: 10, clearSeconds: 3, clear: [{ from: 0, to: 3 }] };
    for (const state of ['pending', 'failed'] as const)
      expect(clearPartNote({ state, ...rest })).toMatch(/nobody can watch it/);
  });

  test('that its faces are hidden once that was done', () => {
    const hidden = { seconds: 10, clearSeconds: 0, clear: [] };
    expect(clearPartNote({ state: 'done', ...hidden })).toMatch(/hidden in all of it/);
  });
});
