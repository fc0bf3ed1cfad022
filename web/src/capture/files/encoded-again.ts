import {
  canEncodeVideo,
  Quality,
  VideoSampleSink,
  type InputVideoTrack,
  type VideoEncodingConfig,
  type VideoSample,
} from 'mediabunny';
import type { ShownTimes } from './edit-lists.js';
import { isHidden } from './shown-packets.js';

/** Codec and maximum width, as the page records a camera; never larger than the server's output. */
const CODEC = 'vp8';
const QUALITY = new Quality({ bitrate: 2_500_000 });
const KEY_FRAME_SECONDS = 1;
const MAX_WIDTH = 1280;

/** A track whose pictures are decoded and encoded again. */
export interface EncodedAgain {
  encoding: VideoEncodingConfig;
  /** Those pictures that players show, turned as they show them, from this time on, in seconds. */
  pictures(from: number): AsyncGenerator<VideoSample, void, undefined>;
}

/** Undefined if this browser cannot decode or encode it. */
export async function encodedAgain(
  track: InputVideoTrack,
  shown: ShownTimes,
): Promise<EncodedAgain | undefined> {
  const width = await track.getDisplayWidth();
  const isAsShown = (await track.getRotation()) === 0 && !(await track.getFlip());
  if (!(await track.canDecode()) || !(await canEncodeVideo(CODEC, { quality: QUALITY })))
    return undefined;
  return {
    encoding: {
      ...{ codec: CODEC, quality: QUALITY, keyFrameInterval: KEY_FRAME_SECONDS },
      // Real time, because each picture is awaited before the next one is passed in.
      latencyMode: 'realtime',
      sizeChangeBehavior: 'contain',
      // Only if needed, because drawing each picture takes longer than all other steps.
      transform: { force: !isAsShown, ...(width > MAX_WIDTH && { width: MAX_WIDTH }) },
    },
    pictures: (from) => shownSamples(new VideoSampleSink(track).samples(from), shown),
  };
}

async function* shownSamples(
  samples: AsyncGenerator<VideoSample, void, unknown>,
  shown: ShownTimes,
): AsyncGenerator<VideoSample, void, undefined> {
  for await (const sample of samples) {
    if (!isHidden(sample.timestamp, shown)) {
      yield sample;
      continue;
    }
    const isOver = sample.timestamp > shown.from;
    sample.close();
    if (isOver) return;
  }
}
