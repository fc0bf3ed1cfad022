import { describe, expect, test } from 'vitest';
import { testPlaylist, type TestPlaylist } from '../testing/test-playlist.js';
import { decideMissingFile, decidePlaylist } from './decide.js';
import { readDirectives } from './directives.js';
import { readPlaylistState } from './playlist-state.js';

/** Segments 10 to 39 are whole, with ten parts each; 40 has parts 0 to 3. */
const LIVE: TestPlaylist = { firstMsn: 10, segments: 30, openParts: 4 };
/** Segments 10 to 39 are whole, and nothing of 40 is there. */
const WHOLE: TestPlaylist = { firstMsn: 10, segments: 30 };
/** Nothing but part 0 of segment 0. */
const FIRST: TestPlaylist = { segments: 0, openParts: 1 };
const ENDED: TestPlaylist = { firstMsn: 10, segments: 30, ended: true };

const decide = (playlist: TestPlaylist, query: string) =>
  decidePlaylist(
    readPlaylistState(testPlaylist(playlist)),
    readDirectives(Object.fromEntries(new URLSearchParams(query))),
  ).kind;

describe('a playlist request, by rfc8216bis', () => {
  test.each<[section: string, rule: string, TestPlaylist, query: string, kind: string]>([
    ['6.2.5', 'without directives it is answered at once', LIVE, '', 'now'],
    ['6.2.5', "other parameters are nobody's business", LIVE, 'token=x&_HLS_new=1', 'now'],

    ['6.2.5.2', 'a whole segment that is there', LIVE, '_HLS_msn=39', 'now'],
    ['6.2.5.2', 'a whole segment waits until it is whole', LIVE, '_HLS_msn=40', 'wait'],
    ['6.2.5.2', 'the segment after that waits too', LIVE, '_HLS_msn=41', 'wait'],
    ['6.2.5.2', 'a part that is there', LIVE, '_HLS_msn=40&_HLS_part=3', 'now'],
    ['6.2.5.2', 'the next part', LIVE, '_HLS_msn=40&_HLS_part=4', 'wait'],
    ['6.2.5.2', 'a part of a segment that is whole', LIVE, '_HLS_msn=39&_HLS_part=9', 'now'],
    ['6.2.5.2', 'the first part of the next segment', WHOLE, '_HLS_msn=40&_HLS_part=0', 'wait'],
    ['6.2.5.2', 'the very first part', FIRST, '_HLS_msn=0&_HLS_part=0', 'now'],
    ['6.2.5.2', 'the second', FIRST, '_HLS_msn=0&_HLS_part=1', 'wait'],

    ['6.2.5.2', 'past the last part: part 0 of the next', LIVE, '_HLS_msn=39&_HLS_part=10', 'now'],
    ['6.2.5.2', 'which may have to come yet', WHOLE, '_HLS_msn=39&_HLS_part=10', 'wait'],
    ['6.2.5.2', 'or be there for long', LIVE, '_HLS_msn=38&_HLS_part=10', 'now'],

    ['6.2.5.2', 'a segment that left the window', LIVE, '_HLS_msn=3', 'now'],
    ['6.2.5.2', 'a part that left the window', LIVE, '_HLS_msn=3&_HLS_part=7', 'now'],

    ['6.2.5.2', 'a part without a segment', LIVE, '_HLS_part=4', 'refuse'],
    ['6.2.5.2', 'more than two segments ahead', LIVE, '_HLS_msn=42', 'refuse'],
    ['6.2.5.2', 'and with a part', LIVE, '_HLS_msn=42&_HLS_part=0', 'refuse'],
    ['6.2.5.2', 'two ahead before there is a whole one', FIRST, '_HLS_msn=1', 'wait'],
    ['6.2.5.2', 'three ahead before there is a whole one', FIRST, '_HLS_msn=2', 'refuse'],
    ['6.2.5.2', 'as far as the Advance Part Limit, 30', LIVE, '_HLS_msn=40&_HLS_part=33', 'wait'],
    ['6.2.5.2', 'beyond the Advance Part Limit', LIVE, '_HLS_msn=40&_HLS_part=34', 'refuse'],
    ['6.2.5.2', 'beyond it in the segment after', LIVE, '_HLS_msn=41&_HLS_part=24', 'refuse'],
    ['6.2.5.2', 'not beyond it there', LIVE, '_HLS_msn=41&_HLS_part=23', 'wait'],

    ['6.2.5', 'a number that is none', LIVE, '_HLS_msn=last', 'refuse'],
    ['6.2.5', 'a negative one', LIVE, '_HLS_msn=-1', 'refuse'],
    ['6.2.5', 'a part that is none', LIVE, '_HLS_msn=40&_HLS_part=1.5', 'refuse'],
    ['6.2.5', 'an empty one', LIVE, '_HLS_msn=', 'refuse'],
    ['6.2.5', 'the largest that the syntax has', LIVE, '_HLS_msn=18446744073709551615', 'refuse'],

    ['6.2.5.2', 'ENDLIST: a segment to come is ignored', ENDED, '_HLS_msn=40', 'now'],
    ['6.2.5.2', 'ENDLIST: far ahead is ignored', ENDED, '_HLS_msn=99&_HLS_part=1', 'now'],
    ['6.2.5.2', 'ENDLIST: a lone part is ignored', ENDED, '_HLS_part=1', 'now'],
    ['6.2.5.2', 'ENDLIST: nonsense is ignored', ENDED, '_HLS_msn=x', 'now'],
  ])('%s %s', (_section, _rule, playlist, query, kind) => {
    expect(decide(playlist, query)).toBe(kind);
  });

  test('6.2.5.2 the Advance Part Limit is three where parts last a second or more', () => {
    const text = testPlaylist(LIVE).replace('PART-TARGET=0.10000', 'PART-TARGET=1.0');
    const state = readPlaylistState(text);
    expect(decidePlaylist(state, { msn: 40, part: 6 }).kind).toBe('wait');
    expect(decidePlaylist(state, { msn: 40, part: 7 }).kind).toBe('refuse');
  });
});

describe('a request for a media file that is not there, by rfc8216bis', () => {
  const decideFile = (playlist: TestPlaylist, name: string) =>
    decideMissingFile(readPlaylistState(testPlaylist(playlist)), name).kind;

  test.each<[section: string, rule: string, TestPlaylist, name: string, kind: string]>([
    ['4.4.5.3', 'the hinted part waits until it is whole', LIVE, '40.4.m4s', 'wait'],
    ['6.2.6', 'one after it is not waited for', LIVE, '40.5.m4s', 'now'],
    ['6.2.6', 'a segment is not hinted', LIVE, '40.m4s', 'now'],
    ['4.4.5.3', 'nothing is hinted after the end', ENDED, '40.0.m4s', 'now'],
  ])('%s %s', (_section, _rule, playlist, name, kind) => {
    expect(decideFile(playlist, name)).toBe(kind);
  });
});
