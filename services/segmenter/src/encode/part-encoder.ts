import { frameBytes } from '@facecast/shared/media/frame-store';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { EncoderFailure } from './ffmpeg-process.js';
import { SessionFailure } from '../session-failure.js';
import { writeInitSegment } from '../mp4/init-segment.js';
import { writeFragment } from '../mp4/fragment.js';
import type { AudioSource } from './audio-source.js';
import { AudioTrack } from './audio-track.js';
import { VideoEncoder } from './video-encoder.js';

/**
 * How often the video encoder, and the audio encoder, may be replaced for one batch; then the session
 * fails.
 */
export const MAX_REPLACEMENTS = 3;

export interface PartEncoderOptions {
  cadence: Cadence;
  audioSource: Pick<AudioSource, 'read' | 'readNew'>;
  log: Logger;
  onReplaced: () => void;
}

/** One encoded batch. */
export interface EncodedPart {
  content: Buffer;
  /** The initialization section, with the first part of each video encoder; else undefined. */
  init: Buffer | undefined;
}

/**
 * Encodes a session's batches to parts. A video encoder that fails, or whose size changes, is replaced, with
 * a new initialization section. A replaced audio encoder needs none: all AAC frames are alike.
 */
export class PartEncoder {
  private video: VideoEncoder | undefined;
  private readonly audio: AudioTrack;
  private size = { width: 0, height: 0 };
  private initGiven = false;
  private closed = false;

  constructor(private readonly options: PartEncoderOptions) {
    this.audio = new AudioTrack(options.cadence, options.audioSource);
  }

  /** Process ids of the current encoders, for tests that stop or kill them. */
  get pids(): { video: number | undefined; audio: number | undefined } {
    return { video: this.video?.pid, audio: this.audio.pid };
  }

  /**
   * @param frames the batch's I420 planes
   * @param isLast whether no batch follows
   * @throws {SessionFailure} when encoders failed too often
   */
  async encode(batch: RenderedBatch, frames: Buffer, isLast = false): Promise<EncodedPart> {
    const { width, height, frameCount } = batch;
    if (frames.length !== frameBytes(width, height) * frameCount)
      throw new SessionFailure('A batch of frames is damaged.');
    const [video, audio] = await Promise.all([
      this.retry(() => this.encodeVideo(batch, frames)),
      this.retry(() => this.audio.encode(batch, isLast)),
    ]);
    const { fps } = this.options.cadence;
    const init = this.initGiven
      ? undefined
      : writeInitSegment({ ...this.size, fps, avcC: video.avcC });
    this.initGiven = true;
    return { content: writeFragment(batch, video.frames, audio), init };
  }

  /** Closes the encoders; an `encode` under way rejects. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([this.video?.close(), this.audio.close()]);
  }

  private async videoEncoder({ width, height }: RenderedBatch): Promise<VideoEncoder> {
    if (this.video && this.size.width === width && this.size.height === height) return this.video;
    await this.video?.close();
    if (this.closed) throw new EncoderFailure('closed', []);
    this.size = { width, height };
    this.initGiven = false;
    this.video = new VideoEncoder(this.size, this.options.cadence);
    return this.video;
  }

  private async encodeVideo(batch: RenderedBatch, planes: Buffer) {
    const encoder = await this.videoEncoder(batch);
    try {
      return await encoder.encode(planes, batch.frameCount);
    } catch (error) {
      this.video = undefined;
      throw error;
    }
  }

  /** Repeats an attempt with a new encoder, up to `MAX_REPLACEMENTS` times. */
  private async retry<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (this.closed || !(error instanceof EncoderFailure)) throw error;
        this.options.log.error({ err: error }, 'encoder failed');
        if (failures > MAX_REPLACEMENTS) throw new SessionFailure('The encoders failed too often.');
        this.options.onReplaced();
      }
    }
  }
}
