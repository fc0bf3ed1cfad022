import { hidesFaces, isWeaker, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { Session, SessionRegistry } from '@facecast/shared/redis/sessions';
import { redactFrames } from '../input/redact-frames.js';

/** How the publisher wants viewers to be protected from now on. */
export type Wish = Pick<Session, 'effect' | 'hidden'>;

/** Whether faces drawn with `effect` show more than is wished by now. */
export function showsTooMuch(effect: Effect, wish: Wish): boolean {
  return wish.hidden || (hidesFaces(wish.effect) && isWeaker(effect, wish.effect));
}

/**
 * Makes the publisher's newest wish true of everything that is not yet published. Batches were searched and
 * drawn before the wish: those that show too much are redacted as a whole.
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

  /** This is the wish by now, as far as is known. */
  learn(wish: Wish): void {
    this.wish = wish;
  }

  /** The wish has changed: no batch is shown before it is known. */
  changed(): void {
    this.isStale = true;
  }

  /**
   * Redacts the batch, in place, if it shows more than is wished.
   * @param frames its I420 planes
   * @returns the batch with its frames marked as hidden, if they are, and how viewers are protected by it
   */
  async apply(
    batch: RenderedBatch,
    frames: Uint8Array,
  ): Promise<{ batch: RenderedBatch; shown: Wish }> {
    const wish = await this.newestWish();
    const effect = batch.effect ?? this.firstEffect;
    if (!showsTooMuch(effect, wish)) return { batch, shown: { effect, hidden: false } };
    redactFrames(frames, batch);
    const hiddenFrames = batch.frames.map((frame) => ({ ...frame, hidden: true }));
    return { batch: { ...batch, frames: hiddenFrames }, shown: wish };
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

/** Until somebody can say what is wished, nothing is shown. */
const NOBODY_KNOWS: Wish = { effect: 'black', hidden: true };
