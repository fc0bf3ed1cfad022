import { hidesFaces, isWeaker, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { Session } from '@facecast/shared/redis/session';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redactFrames } from './redact-frames.js';

/** The publisher's current choice of how viewers are protected. */
export type Wish = Pick<Session, 'effect' | 'hidden'>;

/** Whether a frame with `effect` shows more than the current choice allows. */
export function showsTooMuch(effect: Effect, wish: Wish): boolean {
  return wish.hidden || (hidesFaces(wish.effect) && isWeaker(effect, wish.effect));
}

/**
 * The last step before viewers see a batch. A batch is redacted as a whole if it was not searched and faces
 * are to be hidden, or if it was drawn before the publisher's newest choice and shows more than that
 * allows.
 */
export class ViewersProtection {
  private wish: Wish;
  private isStale = false;
  private readonly firstEffect: Effect;

  constructor(
    private readonly session: Session,
    private readonly registry: Pick<SessionRegistry, 'get'>,
    private readonly log: Logger,
  ) {
    this.firstEffect = session.effect;
    this.wish = session;
  }

  /** Sets the newest known choice. */
  learn(wish: Wish): void {
    this.wish = wish;
  }

  /** To be called when the choice has changed: it is read before the next batch is shown. */
  changed(): void {
    this.isStale = true;
  }

  /**
   * Redacts the batch, in place, if it shows more than the choice allows.
   * @param frames its I420 planes
   * @param isRendered whether its effect was applied to them
   * @returns the batch with its frames marked as hidden, if they are, and how viewers are protected by it
   */
  async apply(
    batch: RenderedBatch,
    frames: Uint8Array,
    isRendered: boolean,
  ): Promise<{ batch: RenderedBatch; shown: Wish }> {
    const wish = await this.newestWish();
    const effect = batch.effect ?? this.firstEffect;
    const isAsWished = !showsTooMuch(effect, wish);
    const shown = isAsWished ? { effect, hidden: false } : wish;
    if (isAsWished && (isRendered || !hidesFaces(effect))) return { batch, shown };
    redactFrames(frames, batch);
    const hiddenFrames = batch.frames.map((frame) => ({ ...frame, hidden: true }));
    return { batch: { ...batch, frames: hiddenFrames }, shown };
  }

  private async newestWish(): Promise<Wish> {
    while (this.isStale) {
      this.isStale = false;
      try {
        const session = await this.registry.get(this.session.id);
        if (session) this.wish = session;
      } catch (error) {
        warnUnlessOutage(this.log, error, 'could not read what the publisher wishes');
        this.isStale = true;
        return NOBODY_KNOWS;
      }
    }
    return this.wish;
  }
}

/** The choice that applies while the publisher's cannot be read: everything is hidden. */
const NOBODY_KNOWS: Wish = { effect: 'black', hidden: true };
