import { expect, test } from 'vitest';
import { mediaKind } from './media-name.js';

test.each([
  ['init-0.mp4', 'init'],
  ['7.m4s', 'segment'],
  ['7.0.m4s', 'part'],
  ['123456789.12.m4s', 'part'],
])('%s is served as %s', (name, kind) => expect(mediaKind(name)).toBe(kind));

test.each([
  'live.m3u8',
  'session.json',
  'faces.ndjson',
  '..',
  '../7.m4s',
  '07.m4s',
  '7.m4s.tmp',
  '.7.m4s.unfinished',
  '7.1.2.m4s',
  '7.m4s\n',
  'init-.mp4',
  '-1.m4s',
])('%j is not served', (name) => expect(mediaKind(name)).toBeUndefined());
