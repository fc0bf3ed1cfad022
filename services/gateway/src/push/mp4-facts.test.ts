import { box, u32 } from '@facecast/shared/media/iso-boxes';
import { expect, test } from 'vitest';
import { decodeTimeOf, mimeTypeOf, timescaleOf } from './mp4-facts.js';

const zeros = (bytes: number) => Buffer.alloc(bytes);
const track = (timescale: number, entry: Buffer) =>
  box(
    'trak',
    box(
      'mdia',
      box('mdhd', zeros(12), u32(timescale), zeros(8)),
      box('minf', box('stbl', box('stsd', zeros(8), entry))),
    ),
  );
const H264 = box('avc1', zeros(78), box('avcC', Buffer.from([1, 0x42, 0xc0, 0x1e])));
const AAC = box('mp4a', zeros(28));
const INIT = Buffer.concat([
  box('ftyp', zeros(8)),
  box('moov', box('mvhd', zeros(100)), track(15_360, H264), track(48_000, AAC)),
]);

test('an initialization section tells its codecs and the clock of its picture', () => {
  expect(mimeTypeOf(INIT)).toBe('video/mp4; codecs="avc1.42c01e,mp4a.40.2"');
  expect(timescaleOf(INIT)).toBe(15_360);
});

test('a fragment tells when its picture begins, in 32 bits and in 64', () => {
  const fragment = (tfdt: Buffer) => box('moof', box('mfhd', zeros(8)), box('traf', tfdt));
  expect(decodeTimeOf(fragment(box('tfdt', zeros(4), u32(7))))).toBe(7);
  const long = box('tfdt', Buffer.from([1, 0, 0, 0]), u32(1), u32(7));
  expect(decodeTimeOf(fragment(long))).toBe(2 ** 32 + 7);
});

test('bytes that are neither tell nothing', () => {
  for (const bytes of [zeros(0), zeros(40), Buffer.from('no box at all'), INIT.subarray(0, 60)]) {
    expect(mimeTypeOf(bytes)).toBe('video/mp4');
    expect(timescaleOf(bytes)).toBeUndefined();
    expect(decodeTimeOf(bytes)).toBeUndefined();
  }
});
