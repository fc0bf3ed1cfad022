import { describe, expect, test } from 'vitest';
import { declaredContainer, sniffContainer } from './container.js';

describe('the declared container', () => {
  test.each([
    ['video/webm', 'matroska'],
    ['video/webm;codecs=vp8,opus', 'matroska'],
    ['Video/WebM; codecs="vp9"', 'matroska'],
    ['video/x-matroska;codecs=avc1', 'matroska'],
    ['video/mp4;codecs=avc1.42E01F', 'mov'],
    ['video/quicktime', undefined],
    ['application/vnd.apple.mpegurl', undefined],
    ['', undefined],
  ])('of %j is %s', (mimeType, container) => {
    expect(declaredContainer(mimeType)).toBe(container);
  });
});

describe('the container that bytes begin', () => {
  test.each([
    ['an EBML header', Buffer.from('1a45dfa39f428681', 'hex'), 'matroska'],
    ['a file type box', Buffer.from('\0\0\0\x18ftyp', 'latin1'), 'mov'],
    ['a segment type box', Buffer.from('\0\0\0\x18styp', 'latin1'), 'mov'],
    ['a movie box', Buffer.from('\0\0\0\x18moov', 'latin1'), 'mov'],
    ['a text', Buffer.from('#EXTM3U\n'), undefined],
    ['a JPEG', Buffer.from('ffd8ffe000104a46', 'hex'), undefined],
    ['too few bytes', Buffer.from('1a45df', 'hex'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('%s', (_, bytes, container) => {
    expect(sniffContainer(bytes)).toBe(container);
  });
});
