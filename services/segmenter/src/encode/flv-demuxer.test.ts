import { describe, expect, test } from 'vitest';
import { FlvDemuxer, FlvError, type VideoTag } from './flv-demuxer.js';

const HEADER = Buffer.from([0x46, 0x4c, 0x56, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0]);

function tag(type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(11);
  header.writeUInt8(type, 0);
  header.writeUIntBE(data.length, 1, 3);
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32BE(11 + data.length);
  return Buffer.concat([header, data, trailer]);
}

const video = (first: number, packetType: number, content: string) =>
  tag(9, Buffer.concat([Buffer.from([first, packetType, 0, 0, 0]), Buffer.from(content)]));

const STREAM = Buffer.concat([
  HEADER,
  tag(18, Buffer.from('onMetaData')),
  video(0x17, 0, 'config'),
  video(0x17, 1, 'key'),
  tag(8, Buffer.from('sound')),
  video(0x27, 1, 'next'),
  video(0x17, 2, ''),
]);

const EXPECTED: VideoTag[] = [
  { kind: 'config', avcC: Buffer.from('config') },
  { kind: 'frame', key: true, data: Buffer.from('key') },
  { kind: 'frame', key: false, data: Buffer.from('next') },
];

describe('the FLV demuxer', () => {
  test('gives the configuration and the pictures, and passes over all else', () => {
    expect(new FlvDemuxer().push(STREAM)).toEqual(EXPECTED);
  });

  test('gives the same however the bytes are cut', () => {
    const demuxer = new FlvDemuxer();
    const tags = [...STREAM].flatMap((byte) => demuxer.push(Buffer.from([byte])));
    expect(tags).toEqual(EXPECTED);
  });

  test('gives a picture with its last byte, not with the first of the next', () => {
    const demuxer = new FlvDemuxer();
    demuxer.push(HEADER);
    expect(demuxer.push(video(0x17, 1, 'key'))).toHaveLength(1);
  });

  test.each([
    ['bytes that are no FLV', Buffer.from('RIFF0000WAVE00000')],
    ['video of another codec', Buffer.concat([HEADER, video(0x14, 1, 'vp6')])],
    ['a video tag without a header', Buffer.concat([HEADER, tag(9, Buffer.from([0x17]))])],
    [
      'a tag larger than any picture',
      Buffer.concat([HEADER, Buffer.from([9, 0x7f, 0xff, 0xff]), Buffer.alloc(7)]),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(() => new FlvDemuxer().push(bytes)).toThrow(FlvError);
  });
});
