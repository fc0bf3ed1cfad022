import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { SAMPLE_BYTES, samplesBefore } from '@facecast/shared/media/audio';
import { EncoderFailure } from './ffmpeg-process.js';
import {
  AAC_FRAME_SAMPLES,
  AAC_DELAY_FRAMES,
  AudioEncoder,
  SILENT_FRAME,
} from './audio-encoder.js';
import type { AudioSource } from './audio-source.js';

/** The audio of one batch: AAC frames; `firstFrame` is the first one's number in its session. */
export interface EncodedAudio {
  firstFrame: number;
  frames: Buffer[];
}

/**
 * Encodes a session's audio part by part. AAC frame n begins at sample n x `AAC_FRAME_SAMPLES`, whichever
 * encoder made it, and a part's frames follow from its batch's number alone.
 *
 * A part has the frames that an encoder can have made by the batch's last sample. So its audio ends 43 to
 * 64 ms before its video; the session's last part has all.
 *
 * Until the session's first sound there is no encoder, and `SILENT_FRAME` is repeated (docs/decisions/012).
 */
export class AudioTrack {
  private encoder: AudioEncoder | undefined;
  /** Number of the next batch if all before it was silence; undefined if that is not known. */
  private silentUpTo: number | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly cadence: Cadence,
    private readonly source: Pick<AudioSource, 'read' | 'readNew'>,
  ) {}

  /** Id of the current encoder's process; undefined if there is none. */
  get pid(): number | undefined {
    return this.encoder?.pid;
  }

  /**
   * Encodes the audio of the next batch. After a failure, a new encoder gets the samples again that the old
   * one held back.
   * @param isLast whether no batch follows
   * @throws {EncoderFailure} after which it can be called again
   */
  async encode(batch: RenderedBatch, isLast: boolean): Promise<EncodedAudio> {
    const { fps } = this.cadence;
    const { firstFrame, frameCount } = batch;
    const first = aacFramesBefore(firstFrame, fps);
    const end = samplesBefore(firstFrame + frameCount, fps);
    const all = Math.ceil(end / AAC_FRAME_SAMPLES);
    const count = (isLast ? all : aacFramesBefore(firstFrame + frameCount, fps)) - first;
    if (await this.isSilent(batch)) {
      this.silentUpTo = batch.batch + 1;
      return { firstFrame: first, frames: Array<Buffer>(count).fill(SILENT_FRAME) };
    }
    const from = this.encoder ? samplesBefore(firstFrame, fps) : first * AAC_FRAME_SAMPLES;
    // Silence flushes what the encoder holds back.
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

  /** Closes the encoder; an `encode` under way rejects. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.encoder?.close();
  }

  /** Whether a batch is silent: it has no audio, and an encoder would hold back none from before. */
  private async isSilent({ batch, samples }: RenderedBatch): Promise<boolean> {
    if (this.encoder || samples > 0) return false;
    if (batch === 0 || this.silentUpTo === batch) return true;
    const before = Array.from({ length: batchesOfAudioHistory(this.cadence) }, (_, n) =>
      this.source.read(batch - 1 - n),
    );
    return (await Promise.all(before)).every((audio) => audio === undefined);
  }

  /** Samples `from` (included) to `to` (excluded), where this batch's samples end; silence fills gaps. */
  private async samples(batch: RenderedBatch, from: number, to: number): Promise<Buffer> {
    const { fps, framesPerBatch } = this.cadence;
    const samples = Buffer.alloc((to - from) * SAMPLE_BYTES);
    let number = batch.batch;
    let audio =
      batch.samples > 0 ? await this.source.readNew(number, this.closing.signal) : undefined;
    for (;;) {
      const start = samplesBefore(number * framesPerBatch, fps);
      const skipped = Math.max(0, from - start) * SAMPLE_BYTES;
      audio?.copy(samples, Math.max(0, start - from) * SAMPLE_BYTES, skipped);
      if (start <= from) return samples;
      audio = await this.source.read(--number);
    }
  }
}

/** Number of AAC frames that an encoder has given when it got all audio before a video frame. */
function aacFramesBefore(frame: number, fps: number): number {
  const whole = Math.floor(samplesBefore(frame, fps) / AAC_FRAME_SAMPLES);
  return Math.max(0, whole - AAC_DELAY_FRAMES);
}

/** Maximum number of earlier batches whose audio a new encoder needs. */
export function batchesOfAudioHistory({ fps, framesPerBatch }: Cadence): number {
  // One frame more than is held back, because a batch may end within a frame.
  const samplesHeld = (AAC_DELAY_FRAMES + 1) * AAC_FRAME_SAMPLES;
  return Math.ceil(samplesHeld / samplesBefore(framesPerBatch, fps));
}
