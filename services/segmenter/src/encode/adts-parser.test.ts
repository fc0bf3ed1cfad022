import { describe, expect, test } from 'vitest';
import { AdtsError, AdtsParser } from './adts-parser.js';

/** An ADTS frame of AAC-LC, 48 kHz, two channels. */
function adts(content: string, { checksum = false, blocks = 1, bytes = 0 } = {}): Buffer {
  const header = Buffer.from([0xff, checksum ? 0xf0 : 0xf1, 0x4c, 0x80, 0, 0x1f, 0xfc]);
  const rest = Buffer.from((checksum ? 'CC' : '') + content);
  const length = bytes || header.length + rest.length;
  header.writeUInt8(0x80 | (length >> 11), 3);
  header.writeUInt8((length >> 3) & 0xff, 4);
  header.writeUInt8(((length & 7) << 5) | 0x1f, 5);
  header.writeUInt8(0xfc | (blocks - 1), 6);
  return Buffer.concat([header, rest]);
}

const FRAMES = ['one', 'the second', 'x'.repeat(1500)];
const STREAM = Buffer.concat(FRAMES.map((content, n) => adts(content, { checksum: n === 1 })));

describe('the ADTS reader', () => {
  test('gives what is in the frames', () => {
    expect(new AdtsParser().push(STREAM).map(String)).toEqual(FRAMES);
  });

  test('gives the same however the bytes are cut', () => {
    const reader = new AdtsParser();
    const frames = [...STREAM].flatMap((byte) => reader.push(Buffer.from([byte])));
    expect(frames.map(String)).toEqual(FRAMES);
  });

  test.each([
    ['bytes that are no ADTS', Buffer.from('RIFF0000WAVE')],
    ['a frame shorter than its header', adts('', { bytes: 5 })],
    ['several blocks in one frame', adts('two', { blocks: 2 })],
  ])('refuses %s', (_, bytes) => {
    expect(() => new AdtsParser().push(bytes)).toThrow(AdtsError);
  });
});
