import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBox, listBoxes } from '@facecast/shared/media/iso-boxes';
import { writeInitSegment } from './init-segment.js';
import { readPartHeader, writeFragment } from './fragment.js';
import { CADENCE } from '../testing/cadence.js';
import { silence } from '../testing/use-packagers.js';
import { HEIGHT, numberedFrames, playNumbers, probe, upTo, WIDTH } from '../testing/test-frames.js';
import { VideoEncoder } from '../encode/video-encoder.js';

const BATCHES = 20;
const size = { width: WIDTH, height: HEIGHT };

describe('fragmented MP4', () => {
  let folder: string;
  let init: Buffer;
  const parts: Buffer[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facecast-fmp4-'));
    const encoder = new VideoEncoder(size, CADENCE);
    const audioOf = silence();
    for (let batch = 0; batch < BATCHES; batch++) {
      const firstFrame = batch * 3;
      const { avcC, frames } = await encoder.encode(numberedFrames(firstFrame, 3), 3);
      init ??= writeInitSegment({ ...size, fps: CADENCE.fps, avcC });
      parts.push(writeFragment({ batch, firstFrame }, frames, await audioOf(batch)));
    }
    await encoder.close();
    await writeFile(join(folder, 'all.mp4'), Buffer.concat([init, ...parts]));
  });

  afterAll(() => rm(folder, { recursive: true }));

  test('has the boxes that a player of HLS looks for', () => {
    expect(listBoxes(init).map(({ type }) => type)).toEqual(['ftyp', 'moov']);
    expect(findBox(init, 'moov', 'mvex', 'trex')).toBeDefined();
    for (const part of parts) {
      expect(listBoxes(part).map(({ type }) => type)).toEqual(['moof', 'mdat']);
      const traf = findBox(part, 'moof', 'traf');
      expect(traf && listBoxes(traf).map(({ type }) => type)).toEqual(['tfhd', 'tfdt', 'trun']);
    }
  });

  test('a part says which batch and which frames it is', () => {
    expect(parts.map(readPartHeader)).toEqual(
      parts.map((_, batch) => ({ batch, firstFrame: batch * 3, frameCount: 3 })),
    );
    const picture = { key: true, data: Buffer.alloc(9) };
    const place = { batch: 2_592_000, firstFrame: 7_776_000 };
    const late = writeFragment(place, [picture], { firstFrame: 0, frames: [] });
    expect(readPartHeader(late)).toMatchObject({ batch: 2_592_000, firstFrame: 7_776_000 });
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['another file', Buffer.from('#EXTM3U\n#EXT-X-VERSION:6\n')],
  ])('%s is no part', (_, bytes) => {
    expect(readPartHeader(bytes)).toBeUndefined();
  });

  test('each frame is shown once, in order', async () => {
    expect(await playNumbers(join(folder, 'all.mp4'))).toEqual(upTo(BATCHES * 3));
  });

  test('says size, rate and colours as they are', async () => {
    const stream = ['-select_streams', 'v', '-show_entries'];
    const wanted =
      'stream=width,height,codec_name,pix_fmt,color_range,color_space,color_primaries,color_transfer,r_frame_rate,has_b_frames';
    expect(await probe(join(folder, 'all.mp4'), ...stream, wanted)).toMatchObject({
      streams: [
        {
          ...size,
          codec_name: 'h264',
          pix_fmt: 'yuv420p',
          color_range: 'tv',
          color_space: 'smpte170m',
          color_primaries: 'smpte170m',
          color_transfer: 'smpte170m',
          r_frame_rate: '30/1',
          has_b_frames: 0,
        },
      ],
    });
  });

  test('frames are evenly spaced, and exactly each thirtieth is a key frame', async () => {
    const { packets } = (await probe(
      join(folder, 'all.mp4'),
      ...['-select_streams', 'v', '-show_entries'],
      'packet=pts,dts,duration,flags',
    )) as { packets: { pts: number; dts: number; duration: number; flags: string }[] };
    expect(packets).toHaveLength(BATCHES * 3);
    packets.forEach((packet, frame) => {
      expect(packet).toMatchObject({ pts: frame * 1000, dts: frame * 1000, duration: 1000 });
      expect(packet.flags.startsWith('K')).toBe(frame % 30 === 0);
    });
  });

  test('a segment can be decoded without those before it', async () => {
    const second = join(folder, 'second.mp4');
    await writeFile(second, Buffer.concat([init, ...parts.slice(10)]));
    expect(await playNumbers(second)).toEqual(upTo(60).slice(30));
  });
});
