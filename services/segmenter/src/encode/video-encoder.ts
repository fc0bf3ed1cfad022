import type { Size } from '@facecast/shared/media/size';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { FfmpegProcess, EncoderFailure, type FfmpegOptions } from './ffmpeg-process.js';
import { FlvDemuxer } from './flv-demuxer.js';
import type { EncodedFrame } from '../mp4/fragment.js';

/**
 * One kept-alive ffmpeg with libx264: I420 frames of one size in, H.264 pictures out, one for one and
 * without delay. The first picture and every `framesPerSegment`-th after it is a key frame that nothing
 * refers across.
 *
 * It writes FLV, because that muxer hands over each picture at once; see docs/decisions/001.
 */
export class VideoEncoder {
  private readonly process: FfmpegProcess<EncodedFrame>;
  private readonly demuxer = new FlvDemuxer();
  private avcC: Buffer | undefined;

  constructor(size: Size, cadence: Cadence) {
    const demux = (bytes: Buffer) => this.demux(bytes);
    this.process = new FfmpegProcess(rawPictures(size, cadence), h264(size, cadence), demux);
  }

  /** Id of the ffmpeg process. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  /**
   * Encodes the next `count` frames, given as I420 planes one after another. One call at a time.
   * @throws {EncoderFailure} after which this encoder can only be closed
   */
  async encode(
    planes: Uint8Array,
    count: number,
  ): Promise<{ avcC: Buffer; frames: EncodedFrame[] }> {
    const frames = await this.process.exchange(planes, count);
    if (!this.avcC) throw new EncoderFailure('the encoder did not say how to decode', []);
    return { avcC: this.avcC, frames };
  }

  /** Kills the process at once. May be called again. */
  async close(): Promise<void> {
    await this.process.close();
  }

  private demux(bytes: Buffer): EncodedFrame[] {
    const frames = [];
    for (const tag of this.demuxer.push(bytes)) {
      if (tag.kind === 'config') this.avcC = tag.avcC;
      else frames.push(tag);
    }
    return frames;
  }
}

/** Constant quality (x264's CRF); the bitrate is bounded by `MAX_BITS_PER_PIXEL`. */
const QUALITY_CRF = 23;
const MAX_BITS_PER_PIXEL = 0.25;

function rawPictures({ width, height }: Size, { fps }: Cadence): FfmpegOptions {
  return { f: 'rawvideo', pix_fmt: 'yuv420p', s: `${width}x${height}`, r: `${fps}` };
}

function h264({ width, height }: Size, { fps, framesPerSegment }: Cadence): FfmpegOptions {
  const maxKbits = Math.ceil((width * height * fps * MAX_BITS_PER_PIXEL) / 1000);
  return {
    fps_mode: 'passthrough',
    'c:v': 'libx264',
    // A fifth more CPU than ultrafast for a third less bandwidth at the same quality.
    preset: 'superfast',
    tune: 'zerolatency',
    threads: '1',
    bf: '0',
    g: `${framesPerSegment}`,
    keyint_min: `${framesPerSegment}`,
    sc_threshold: '0',
    crf: `${QUALITY_CRF}`,
    maxrate: `${maxKbits}k`,
    bufsize: `${maxKbits}k`,
    // Only as an option of the encoder: as an option of ffmpeg, it might convert frames that are BT.601
    // already.
    'x264-params':
      'open-gop=0:colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m:fullrange=off',
    f: 'flv',
    flvflags: 'no_duration_filesize',
  };
}
