import { CHANNELS, SAMPLE_BYTES, SAMPLE_RATE } from '@facecast/shared/media/audio';
import { AdtsParser } from './adts-parser.js';
import { u16, u32 } from '@facecast/shared/media/iso-boxes';
import { FfmpegProcess, type FfmpegOptions } from './ffmpeg-process.js';

/** Samples in one AAC frame. */
export const AAC_FRAME_SAMPLES = 1024;

/**
 * AAC frames that the encoder holds back: each overlaps with the next, and the encoder looks one ahead. The
 * priming frame before all others is dropped and does not count.
 */
export const AAC_DELAY_FRAMES = 2;

/** An AAC frame of silence, as the encoder makes it of zeros. */
export const SILENT_FRAME = Buffer.from('21100460' + '8c1c', 'hex');

/**
 * One kept-alive ffmpeg: samples in (`media/audio.ts` in shared), AAC-LC out. After the samples of n frames,
 * n - `AAC_DELAY_FRAMES` frames have come out.
 *
 * It has a process of its own, because one ffmpeg for both would hold video back until the audio is there.
 */
export class AudioEncoder {
  private readonly process: FfmpegProcess<Buffer>;
  private readonly reader = new AdtsParser();
  private begun = false;
  private primed = false;

  constructor() {
    this.process = new FfmpegProcess(SAMPLES, AAC, (bytes) => this.demux(bytes));
  }

  /** Id of the ffmpeg process. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  /**
   * Encodes the next samples, and gives the `count` frames that they complete. One call at a time.
   * @throws {import('./ffmpeg-process.js').EncoderFailure} after which it can only be closed
   */
  async encode(samples: Uint8Array, count: number): Promise<Buffer[]> {
    const input = this.begun ? samples : Buffer.concat([cafHeader(), samples]);
    this.begun = true;
    return this.process.exchange(input, count);
  }

  /** Kills the process at once. May be called again. */
  async close(): Promise<void> {
    await this.process.close();
  }

  /** Drops the first frame, which is the encoder's priming before the first sample. */
  private demux(bytes: Buffer): Buffer[] {
    const frames = this.reader.push(bytes);
    if (this.primed || frames.length === 0) return frames;
    this.primed = true;
    return frames.slice(1);
  }
}

/**
 * Samples go in as a Core Audio file (Apple, Core Audio Format Specification 1.0), of which ffmpeg reads 1024
 * samples at a time; of raw samples and WAV, newer ffmpegs read 4096. See docs/decisions/002.
 */
const SAMPLES: FfmpegOptions = { f: 'caf' };

const AAC: FfmpegOptions = {
  'c:a': 'aac',
  'b:a': '128k',
  // At this bitrate it is no worse than the default, for half the CPU.
  aac_coder: 'fast',
  f: 'adts',
};

const LITTLE_ENDIAN = 2;
const BITS_A_CHANNEL = (SAMPLE_BYTES / CHANNELS) * 8;
/** Size of a data chunk that lasts until the end of the file. */
const UNKNOWN_SIZE = -1;

/** The Core Audio file's header, up to the first sample. */
function cafHeader(): Buffer {
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(SAMPLE_RATE);
  const format = u32(LITTLE_ENDIAN, SAMPLE_BYTES, 1, CHANNELS, BITS_A_CHANNEL);
  const editCount = u32(0);
  return Buffer.concat([
    ...[Buffer.from('caff'), u16(1, 0)],
    ...chunkHeader('desc', rate.length + 4 + format.length),
    ...[rate, Buffer.from('lpcm'), format],
    ...chunkHeader('data', UNKNOWN_SIZE),
    editCount,
  ]);
}

function chunkHeader(type: string, bytes: number): Buffer[] {
  const size = Buffer.alloc(8);
  size.writeBigInt64BE(BigInt(bytes));
  return [Buffer.from(type), size];
}
