import { frameBytes } from '@facecast/shared/frame-store';
import type { Logger } from '@facecast/shared/logger';
import type { MarkedBatch } from '@facecast/shared/messages';
import type { Cadence } from '@facecast/shared/settings';
import { Encoder, EncoderFailure } from './encoder.js';
import { SessionFailure } from './failure.js';
import { writeInit, writePart } from './fmp4.js';

/** An encoder of one session is replaced this often; the next failure ends the session. */
export const MOST_REPLACEMENTS = 3;

/** One encoded batch. */
export interface EncodedPart {
  content: Buffer;
  /** With the first part of each encoder: what a decoder must know before it. */
  init: Buffer | undefined;
}

/** Encodes a session's batches, with a new encoder where one fails or the picture's size changes. */
export class PartEncoder {
  private encoder: Encoder | undefined;
  private size = { width: 0, height: 0 };
  private initGiven = false;
  private replacements = 0;
  private closed = false;

  constructor(
    private readonly cadence: Cadence,
    private readonly log: Logger,
    private readonly onReplaced: () => void,
  ) {}

  /** Id of the present encoder's process, for whoever must look at it from outside. */
  get pid(): number | undefined {
    return this.encoder?.pid;
  }

  /**
   * @param frames the batch's I420 planes
   * @throws {SessionFailure} when encoders failed too often
   */
  async encode(batch: MarkedBatch, frames: Buffer): Promise<EncodedPart> {
    if (frames.length !== frameBytes(batch.width, batch.height) * batch.frameCount)
      throw new SessionFailure('A batch of frames is damaged.');
    for (;;) {
      const encoder = await this.encoderFor(batch);
      try {
        return this.pack(batch, await encoder.encode(frames, batch.frameCount));
      } catch (error) {
        if (this.closed || !(error instanceof EncoderFailure)) throw error;
        this.replace(error);
      }
    }
  }

  /** Ends the encoder; an `encode` under way rejects. */
  async close(): Promise<void> {
    this.closed = true;
    await this.encoder?.close();
  }

  private async encoderFor({ width, height }: MarkedBatch): Promise<Encoder> {
    if (this.encoder && this.size.width === width && this.size.height === height)
      return this.encoder;
    await this.encoder?.close();
    if (this.closed) throw new EncoderFailure('closed', []);
    this.size = { width, height };
    this.initGiven = false;
    this.encoder = new Encoder(this.size, this.cadence);
    return this.encoder;
  }

  private pack(
    batch: MarkedBatch,
    { avcC, frames }: Awaited<ReturnType<Encoder['encode']>>,
  ): EncodedPart {
    const init = this.initGiven
      ? undefined
      : writeInit({ ...this.size, fps: this.cadence.fps, avcC });
    this.initGiven = true;
    return { content: writePart(batch, frames), init };
  }

  private replace(failure: EncoderFailure): void {
    this.encoder = undefined;
    this.log.error({ err: failure }, 'an encoder failed');
    if (++this.replacements > MOST_REPLACEMENTS)
      throw new SessionFailure('The video encoder failed too often.');
    this.onReplaced();
  }
}
