import { hidesFaces, isWeaker, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import type { Session } from '@facecast/shared/redis/session';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import { redactFrames } from './redact-frames.js';

/** How the publisher wants viewers to be protected from now on. */
export type Wish = Pick<Session, 'effect' | 'hidden'>;

/** Whether faces drawn with `effect` show more than is wished by now. */
export function showsTooMuch(effect: Effect, wish: Wish): boolean {
  return wish.hidden || (hidesFaces(wish.effect) && isWeaker(effect, wish.effect));
}

/**
 * The last place that a batch passes before viewers see it: no face is shown that is to be hidden. A batch
 * that nobody searched, or that was drawn before the publisher's newest wish and shows more than that, is
 * redacted as a whole.
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

/** Until somebody can say what is wished, nothing is shown. */
const NOBODY_KNOWS: Wish = { effect: 'black', hidden: true };
