import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { SAMPLE_BYTES, samplesBefore } from '@facecast/shared/media/audio';
import { EncoderFailure } from './ffmpeg-process.js';
import { AAC_FRAME_SAMPLES, AAC_DELAY_FRAMES, AudioEncoder } from './audio-encoder.js';
import type { AudioSource } from './audio-source.js';

/** The audio of one batch: AAC frames, of which the first has this number in its session. */
export interface EncodedAudio {
  firstFrame: number;
  frames: Buffer[];
}

/**
 * A session's audio on its way into its parts. AAC frame n is what is heard from sample n times
 * `AAC_FRAME_SAMPLES` on, whoever encoded it, and the frames of a part follow from its batch's number
 * alone: all that an encoder can know by the batch's last sample. So a part's audio ends 43 to 64 ms
 * before its pictures do; the last one's with the AAC frame in which its pictures end.
 */
export class AudioTrack {
  private encoder: AudioEncoder | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly cadence: Cadence,
    private readonly source: Pick<AudioSource, 'read' | 'readNew'>,
  ) {}

  /** Id of the present encoder's process, for whoever must look at it from outside. */
  get pid(): number | undefined {
    return this.encoder?.pid;
  }

  /**
   * The audio of the batch that follows the last one. What an encoder has held when it failed, a new one
   * is given again.
   * @param isLast whether no batch follows
   * @throws {EncoderFailure} whereupon it can be tried again
   */
  async encode(batch: RenderedBatch, isLast: boolean): Promise<EncodedAudio> {
    const { fps } = this.cadence;
    const { firstFrame, frameCount } = batch;
    const first = aacFramesBefore(firstFrame, fps);
    const end = samplesBefore(firstFrame + frameCount, fps);
    const all = Math.ceil(end / AAC_FRAME_SAMPLES);
    const count = (isLast ? all : aacFramesBefore(firstFrame + frameCount, fps)) - first;
    const from = this.encoder ? samplesBefore(firstFrame, fps) : first * AAC_FRAME_SAMPLES;
    // Silence gets the encoder to give what it has kept back.
    const to = isLast ? (all + AAC_DELAY_FRAMES) * AAC_FRAME_SAMPLES : end;
    const samples = await this.samples(batch, from, to);
    if (this.closing.signal.aborted) throw new EncoderFailure('closed', []);
    const encoder = (this.encoder ??= new AudioEncoder());
    try {
      return { firstFrame: first, frames: await encoder.encode(samples, count) };
    } catch (error) {
      this.encoder = undefined;
      throw error;
    }
  }

  /** Ends the encoder; an `encode` under way rejects. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.encoder?.close();
  }

  /** Samples `from` up to `to`, this batch's the last of them; silence where there are none. */
  private async samples(batch: RenderedBatch, from: number, to: number): Promise<Buffer> {
    const { fps, framesPerBatch } = this.cadence;
    const samples = Buffer.alloc((to - from) * SAMPLE_BYTES);
    let number = batch.batch;
    let sound =
      batch.samples > 0 ? await this.source.readNew(number, this.closing.signal) : undefined;
    for (;;) {
      const start = samplesBefore(number * framesPerBatch, fps);
      const skipped = Math.max(0, from - start) * SAMPLE_BYTES;
      sound?.copy(samples, Math.max(0, start - from) * SAMPLE_BYTES, skipped);
      if (start <= from) return samples;
      sound = await this.source.read(--number);
    }
  }
}

/** How many AAC frames have come out of an encoder when all audio before a picture has gone in. */
function aacFramesBefore(frame: number, fps: number): number {
  const whole = Math.floor(samplesBefore(frame, fps) / AAC_FRAME_SAMPLES);
  return Math.max(0, whole - AAC_DELAY_FRAMES);
}

/** How many batches before one an encoder that begins with it must be given the audio of, at most. */
export function batchesOfAudioHistory({ fps, framesPerBatch }: Cadence): number {
  const samplesHeld = (AAC_DELAY_FRAMES + 1) * AAC_FRAME_SAMPLES;
  return Math.ceil(samplesHeld / samplesBefore(framesPerBatch, fps));
}
