import { OwnedProcess } from '@facecast/shared/child-process';
import type { Cadence } from '@facecast/shared/settings';
import { FlvDemuxer, type VideoTag } from './flv.js';
import type { EncodedFrame } from './fmp4.js';

/** The encoder died, hung or wrote nonsense; `lastLines` is what it said last. */
export class EncoderFailure extends Error {
  constructor(
    message: string,
    readonly lastLines: string[],
  ) {
    super(message);
    this.name = 'EncoderFailure';
  }
}

/** An encoder with frames in it that says nothing for this long is hung. */
const ENCODER_SILENCE_MS = 3_000;

/**
 * One kept-alive ffmpeg with libx264: raw pictures of one size in, H.264 pictures out, one for one
 * and each at once. The first is a key frame, and then every `framesPerSegment`-th, with nothing that
 * refers across it.
 *
 * It writes FLV because FLV's muxer hands every picture over when it has it. ffmpeg's own
 * fragmented MP4 ends a fragment only when the next picture comes, a whole batch later.
 */
export class Encoder {
  private readonly process: OwnedProcess;
  private readonly demuxer = new FlvDemuxer();
  private dead = false;
  private avcC: Buffer | undefined;
  private encoded: EncodedFrame[] = [];
  private wanted: { frames: number; done: () => void; failed: (why: string) => void } | undefined;

  constructor(size: { width: number; height: number }, cadence: Cadence) {
    this.process = new OwnedProcess('ffmpeg', encoderArguments(size, cadence));
    this.process.stdout.on('data', (bytes: Buffer) => this.receive(bytes));
    void this.process.exited.then(() => {
      this.dead = true;
      this.wanted?.failed(DIED);
    });
  }

  /** Id of the process, for whoever must look at it from outside. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  /**
   * Encodes the next `count` frames, given as I420 planes one after another. One call at a time.
   * @throws {EncoderFailure} after which this encoder can only be closed
   */
  async encode(
    frames: Uint8Array,
    count: number,
  ): Promise<{ avcC: Buffer; frames: EncodedFrame[] }> {
    try {
      await this.exchange(frames, count);
    } catch (error) {
      const { lastLines } = await this.process.close();
      throw new EncoderFailure((error as Error).message, lastLines);
    }
    if (!this.avcC) throw new EncoderFailure('the encoder did not say how to decode', []);
    return { avcC: this.avcC, frames: this.encoded.splice(0) };
  }

  /** Ends the process at once. May be called again. */
  async close(): Promise<void> {
    await this.process.close();
  }

  private exchange(frames: Uint8Array, count: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const silence = setTimeout(
        () => this.wanted?.failed(`the encoder said nothing for ${ENCODER_SILENCE_MS} ms`),
        ENCODER_SILENCE_MS,
      );
      const settle = () => {
        clearTimeout(silence);
        this.wanted = undefined;
      };
      this.wanted = {
        frames: count,
        done: () => (settle(), resolve()),
        failed: (why) => (settle(), reject(new Error(why))),
      };
      if (this.dead) this.wanted.failed(DIED);
      else void this.process.write(frames);
    });
  }

  private receive(bytes: Buffer): void {
    let tags: VideoTag[];
    try {
      tags = this.demuxer.push(bytes);
    } catch (error) {
      this.wanted?.failed((error as Error).message);
      return;
    }
    for (const tag of tags) {
      if (tag.kind === 'config') this.avcC = tag.avcC;
      else this.encoded.push(tag);
    }
    if (this.wanted && this.encoded.length >= this.wanted.frames) this.wanted.done();
  }
}

const DIED = 'the encoder died';

/** Constant quality where the picture allows it, and a bound where it does not. */
const QUALITY_CRF = 23;
const MOST_BITS_PER_PIXEL = 0.25;

function encoderArguments(
  { width, height }: { width: number; height: number },
  { fps, framesPerSegment }: Cadence,
): string[] {
  const mostKbits = Math.ceil((width * height * fps * MOST_BITS_PER_PIXEL) / 1000);
  const input = {
    f: 'rawvideo',
    pix_fmt: 'yuv420p',
    s: `${width}x${height}`,
    r: `${fps}`,
    // Nothing is to be found out about raw frames, and none may wait for it.
    probesize: '32',
    analyzeduration: '0',
    protocol_whitelist: 'pipe',
    i: 'pipe:0',
  };
  const output = {
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
    maxrate: `${mostKbits}k`,
    bufsize: `${mostKbits}k`,
    // Said to the encoder alone: said to ffmpeg, it might convert what already is BT.601.
    'x264-params':
      'open-gop=0:colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m:fullrange=off',
    f: 'flv',
    flvflags: 'no_duration_filesize',
    flush_packets: '1',
  };
  const flags = (options: Record<string, string>) =>
    Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]);
  return ['-hide_banner', '-loglevel', 'warning', ...flags(input), ...flags(output), 'pipe:1'];
}
