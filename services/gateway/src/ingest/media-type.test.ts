import { expect, test } from 'vitest';
import { isSupportedMedia } from './media-type.js';

test.each([
  'video/webm',
  'video/webm;codecs=vp8,opus',
  'VIDEO/WebM; codecs="vp9"',
  'video/mp4',
  'video/x-matroska;codecs=avc1',
])('%s can be sent', (mimeType) => expect(isSupportedMedia(mimeType)).toBe(true));

test.each([
  'image/jpeg',
  'application/vnd.apple.mpegurl',
  'video/mp2t',
  'audio/webm',
  'webm',
  '',
  'video/webmx',
])('%j cannot', (mimeType) => expect(isSupportedMedia(mimeType)).toBe(false));
