import { describe, expect, test } from 'vitest';
import { publishStateNote, publishStateWords } from './publish-messages.js';

const session = { sessionId: 's1', playlistUrl: '/hls/s1/live.m3u8', watchUrl: '/watch/s1' };

describe('what the publish page says', () => {
  test('asking is said in terms of what is asked for', () => {
    expect(publishStateWords({ name: 'asking', source: 'camera' })).toBe('Asking for the camera');
    expect(publishStateWords({ name: 'asking', source: 'screen' })).toBe('Asking for a screen');
    expect(publishStateWords({ name: 'asking', source: 'file' })).toBe('Opening the file');
  });

  test('while less than the best picture is sent, what is sent and why', () => {
    const live = { name: 'live', session } as const;
    const hindrance = 'connection';
    expect(publishStateNote(live, { hindrance, shape: { height: 240, frameRate: 15 } })).toBe(
      'Sending 240p at 15 fps: the connection is slow.',
    );
    expect(publishStateNote(live, { hindrance, shape: undefined })).toBe(
      'Sending a coarser picture: the connection is slow.',
    );
    expect(publishStateNote(live, { hindrance: 'server', shape: undefined })).toMatch(/server/);
    expect(publishStateNote(live)).not.toMatch(/Sending/);
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
