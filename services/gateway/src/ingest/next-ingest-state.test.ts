import type { ClientMessage } from '@facecast/shared/protocol/ingest-protocol';
import { describe, expect, test } from 'vitest';
import { statsOf } from '../testing/test-stats.js';
import type { FeedEnd } from './chunk-feed.js';
import { deadlineOf, type IngestEvent, type IngestState } from './ingest-state.js';
import { nextIngestState } from './next-ingest-state.js';

const sessionId = 'session';
const playlistUrl = '/hls/session/live.m3u8';
const publication = {
  sessionId,
  playlistUrl,
  rules: { requireHidden: false, allowed: undefined },
  isAnnounced: false,
  isLive: false,
  framesOut: 0,
};
const GREETING: IngestState = { name: 'greeting' };
const OPENING: IngestState = { name: 'opening' };
const FRESH: IngestState = {
  ...{ name: 'publishing', hasMedia: false, inputStream: undefined },
  ...publication,
};
const PUBLISHING: IngestState = { ...FRESH, hasMedia: true };
const STOPPED: IngestState = { name: 'ending', isStopped: true, ...publication };
const ENDED_BY_ITSELF: IngestState = { ...STOPPED, isStopped: false };
const OVER: IngestState = { name: 'over' };
const ALL = [GREETING, OPENING, FRESH, PUBLISHING, STOPPED, ENDED_BY_ITSELF, OVER];

const START: ClientMessage = { type: 'start', mimeType: 'video/webm', effect: 'box' };
const media = (text: string): IngestEvent => ({ type: 'media', bytes: Buffer.from(text) });
const said = (message: ClientMessage): IngestEvent => ({ type: 'message', message });
const feedEnded = (how: Exclude<FeedEnd['how'], 'outage'>): IngestEvent => ({
  type: 'feed_ended',
  end: { how },
});

/** The state after some events, and the names of all actions on the way. */
function after(state: IngestState, ...events: IngestEvent[]) {
  let now = state;
  const actions = events.flatMap((event) => {
    const step = nextIngestState(now, event);
    now = step.state;
    return step.actions;
  });
  return { state: now, actions, names: actions.map(({ type }) => type) };
}

/** The code with which a client is turned away; undefined if it is not. */
function refusal(state: IngestState, event: IngestEvent): string | undefined {
  const { state: then, actions } = after(state, event);
  const [action] = actions;
  if (then.name !== 'over' || action?.type !== 'refuse') return undefined;
  return action.code;
}

describe('the first message', () => {
  test('is start or resume, and comes once', () => {
    const resume: ClientMessage = { type: 'resume', sessionId, resumeToken: 'token' };
    for (const message of [START, resume]) {
      expect(after(GREETING, said(message))).toMatchObject({ state: OPENING, names: ['open'] });
      for (const state of [OPENING, PUBLISHING, STOPPED])
        expect(refusal(state, said(message))).toBe('bad_message');
    }
  });

  test.each<[string, IngestEvent]>([
    ['media', media('x')],
    ['stop', said({ type: 'stop' })],
    ['an effect', said({ type: 'effect', effect: 'blur' })],
    ['hide', said({ type: 'hide', hidden: true })],
  ])('is not %s, nor may that come before its answer', (_, event) => {
    expect(refusal(GREETING, event)).toBe('bad_message');
    expect(refusal(OPENING, event)).toBe('bad_message');
  });

  test('that is answered after the client was refused opens nothing', () => {
    const { rules } = publication;
    const opened = { type: 'opened', sessionId, playlistUrl, rules, hasMedia: false } as const;
    expect(after(OVER, { ...opened, greeting: undefined })).toMatchObject({
      state: OVER,
      actions: [],
    });
  });
});

describe('media', () => {
  test('is stored, also while its effect changes', () => {
    const effect = said({ type: 'effect', effect: 'blur' });
    const { state, names } = after(FRESH, media('a'), effect, media('b'));
    expect([state.name, names]).toEqual(['publishing', ['feed', 'protect', 'feed']]);
  });

  test('that is empty is stored, and no media yet', () => {
    const { state, names } = after(FRESH, media(''));
    expect([state, names]).toEqual([FRESH, ['feed']]);
    expect(after(FRESH, media(''), media('a')).state).toMatchObject({ hasMedia: true });
  });

  test('after a restart begins an input stream of the last type that was named', () => {
    const restarts = ['video/webm', 'video/mp4'].map((mimeType) =>
      said({ type: 'restart', mimeType }),
    );
    const { actions } = after(PUBLISHING, ...restarts, media('a'), media('b'));
    expect(actions).toMatchObject([{ inputStream: 'video/mp4' }, { inputStream: undefined }]);
  });

  test('that cannot be decoded is refused before it comes', () => {
    const restart = said({ type: 'restart', mimeType: 'image/png' });
    expect(refusal(PUBLISHING, restart)).toBe('unsupported_media');
  });

  test('after a stop, or after the session is over, is ignored', () => {
    for (const state of [STOPPED, ENDED_BY_ITSELF])
      expect(after(state, media('x'))).toEqual({ state, actions: [], names: [] });
  });

  test('that arrived is acknowledged whatever has happened since', () => {
    for (const state of ALL) {
      const { actions } = after(state, { type: 'stored', count: 3 });
      expect(actions).toEqual([{ type: 'send', message: { type: 'ack', chunks: 3 } }]);
    }
  });

  test('is held back while the backlog is full, but not the close of a refused client', () => {
    const full: IngestEvent = { type: 'backlog', isFull: true };
    expect(after(PUBLISHING, full).actions).toEqual([{ type: 'hold_back', isHeld: true }]);
    expect(after(OVER, full).actions).toEqual([]);
  });
});

describe('an effect', () => {
  test('is refused if the server or the token does not allow it', () => {
    const strict = { ...PUBLISHING, rules: { requireHidden: true, allowed: undefined } };
    const bound = { ...PUBLISHING, rules: { requireHidden: false, allowed: ['blur' as const] } };
    expect(refusal(strict, said({ type: 'effect', effect: 'box' }))).toBe('bad_message');
    expect(refusal(bound, said({ type: 'effect', effect: 'black' }))).toBe('unauthorized');
    expect(after(bound, said({ type: 'effect', effect: 'blur' })).names).toEqual(['protect']);
  });

  test('is not changed after a stop; everything can still be hidden', () => {
    expect(after(STOPPED, said({ type: 'effect', effect: 'blur' })).names).toEqual([]);
    expect(after(STOPPED, said({ type: 'hide', hidden: true })).names).toEqual(['protect']);
  });
});

describe('the end', () => {
  const ended: IngestEvent = { type: 'session_ended', frames: 9, error: undefined };

  test('is waited for after a stop, which counts once', () => {
    const stop = said({ type: 'stop' });
    const { state, names } = after(PUBLISHING, stop, stop);
    expect([state, names]).toEqual([STOPPED, ['end_input']]);
    expect(after(state, ended).names).toEqual(['send', 'close']);
  });

  test('without a stop leaves chunks behind, which are removed', () => {
    for (const state of [PUBLISHING, ENDED_BY_ITSELF])
      expect(after(state, ended).names).toEqual(['send', 'close', 'discard_late']);
  });

  test('is sent once, with its error', () => {
    const error = { code: 'unsupported_media', message: 'That is no video.' } as const;
    const { state, actions } = after(STOPPED, { ...ended, error }, ended, ended);
    expect([state, actions]).toEqual([OVER, [{ type: 'refuse', ...error }]]);
  });

  test('of a session that never had media is told at once', () => {
    expect(after(STOPPED, feedEnded('no_media')).actions).toEqual([
      { type: 'send', message: { type: 'ended', frames: 0 } },
      { type: 'close' },
    ]);
  });

  test('is still expected if the session is over and nothing says how', () => {
    expect(after(PUBLISHING, feedEnded('session_over')).state).toEqual(ENDED_BY_ITSELF);
    expect(after(STOPPED, feedEnded('session_over')).state).toEqual(STOPPED);
  });

  test('of a feed that has written all is no end of the session', () => {
    expect(after(STOPPED, feedEnded('done')).state).toEqual(STOPPED);
  });
});

describe('a publisher that is refused', () => {
  test.each<[IngestEvent, string]>([
    [feedEnded('taken_over'), 'bad_message'],
    [feedEnded('too_many_sessions'), 'too_many_sessions'],
    [feedEnded('overloaded'), 'overloaded'],
    [{ type: 'feed_ended', end: { how: 'outage', error: new Error('gone') } }, 'internal'],
    [{ type: 'taken_over' }, 'bad_message'],
    [{ type: 'problem', code: 'not_found', message: 'No.' }, 'not_found'],
  ])('after %o is told %s', (event, code) => {
    expect(refusal(PUBLISHING, event)).toBe(code);
    expect(refusal(STOPPED, event)).toBe(code);
  });

  test.each([
    ['MISCONF Errors writing to the AOF file: No space left on device', /no room left/],
    ["OOM command not allowed when used memory > 'maxmemory'.", /no room left/],
    ['Connection is closed.', /at the moment/],
  ])('because of %j is told the true reason', (error, message) => {
    const outage: IngestEvent = {
      type: 'feed_ended',
      end: { how: 'outage', error: new Error(error) },
    };
    expect(after(PUBLISHING, outage).actions).toMatchObject([
      { type: 'refuse', message: expect.stringMatching(message) as string },
    ]);
  });

  test.each<[IngestState, string | undefined, string | undefined]>([
    [GREETING, 'firstMessageMs', 'bad_message'],
    [OPENING, undefined, undefined],
    [FRESH, 'firstMediaMs', 'bad_message'],
    [PUBLISHING, undefined, 'bad_message'],
    [STOPPED, 'endMs', 'internal'],
    [OVER, undefined, undefined],
  ])('for its time in %o: the limit is %s', (state, limit, code) => {
    expect(deadlineOf(state)).toBe(limit);
    if (limit !== undefined) expect(refusal(state, { type: 'timed_out' })).toBe(code);
  });

  test('hears nothing more', () => {
    const events: IngestEvent[] = [
      ...[said(START), media('x'), feedEnded('overloaded')],
      ...[{ type: 'taken_over' } as const, { type: 'timed_out' } as const],
      { type: 'pipeline', event: { type: 'stats', sessionId, stats: statsOf(sessionId) } },
    ];
    for (const event of events)
      expect(after(OVER, event)).toMatchObject({ state: OVER, names: [] });
  });

  test('by its own leaving is sent nothing', () => {
    for (const state of ALL) expect(after(state, { type: 'left' }).names).toEqual([]);
  });
});

describe('what the pipeline tells', () => {
  const stats = (more: object = {}): IngestEvent => ({
    type: 'pipeline',
    event: { type: 'stats', sessionId, stats: statsOf(sessionId, more) },
  });
  const playlistReady: IngestEvent = {
    type: 'pipeline',
    event: { type: 'playlist_ready', sessionId, playlistUrl },
  };

  test('is announced once, by the event or by the second stats that are live', () => {
    const announcements = (...events: IngestEvent[]) =>
      after(PUBLISHING, ...events).actions.filter(
        (action) => action.type === 'send' && action.message.type === 'playlist_ready',
      ).length;
    expect(announcements(stats({ state: 'starting' }), stats())).toBe(0);
    expect(announcements(stats(), stats(), stats(), playlistReady)).toBe(1);
    expect(announcements(playlistReady, stats(), stats())).toBe(1);
    expect(announcements({ type: 'resumable', chunks: 1, isPlayable: true }, playlistReady)).toBe(
      1,
    );
  });

  test('counts as progress if it has listed more frames', () => {
    const names = (...events: IngestEvent[]) => after(STOPPED, ...events).names;
    expect(names(stats({ framesOut: 1 }))).toEqual(['note_progress', 'send_stats']);
    expect(names(stats({ framesOut: 1 }), stats({ framesOut: 1 })).slice(2)).toEqual([
      'send',
      'send_stats',
    ]);
  });
});
