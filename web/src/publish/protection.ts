import { isWeaker, type Effect, type Shown } from '@facecast/shared/protocol/ingest-protocol';

/** How viewers are to be protected: what is done with faces, or nothing is to be recognised at all. */
export interface WantedProtection {
  effect: Effect;
  hidden: boolean;
}

/** What the publisher wishes, and the weaker protection that they are asked about, if there is one. */
export interface Protection extends WantedProtection {
  asked: WantedProtection | undefined;
}

/** What the publisher does about it. */
export type ProtectionEvent =
  | { type: 'choose_effect'; effect: Effect }
  | { type: 'hide' }
  | { type: 'show' }
  /** The answer to what was asked. */
  | { type: 'confirm' }
  | { type: 'keep' };

/**
 * The protection after `event`. What protects more holds at once. What protects less, while others can
 * see it, is asked about first; meanwhile everything stays as it is.
 */
export function nextProtection(
  before: Protection,
  event: ProtectionEvent,
  isOnAir: boolean,
): Protection {
  const { effect, hidden, asked } = before;
  switch (event.type) {
    case 'choose_effect': {
      const wanted = { effect: event.effect, hidden };
      const mayShowMore = isOnAir && !hidden && isWeaker(event.effect, effect);
      return mayShowMore ? { ...before, asked: wanted } : { ...wanted, asked: undefined };
    }
    case 'hide':
      return { effect, hidden: true, asked: undefined };
    case 'show': {
      const wanted = { effect, hidden: false };
      return isOnAir && hidden ? { ...before, asked: wanted } : { ...wanted, asked: undefined };
    }
    case 'confirm':
      return asked ? { ...asked, asked: undefined } : before;
    case 'keep':
      return { ...before, asked: undefined };
  }
}

/** How far a change has come on its way to viewers. */
export type Arrival =
  /** Viewers see it as wished. */
  | { name: 'arrived' }
  /** The server has not begun to, or has not said so. */
  | { name: 'awaited' }
  /** It is in the stream; this player shows it in so many seconds. */
  | { name: 'under_way'; seconds: number };

/**
 * How far the wish has come.
 *
 * @param shown how viewers are protected at the end of the stream, as the server said last
 * @param dateShown the playlist's date of the picture on the screen here, in milliseconds
 */
export function arrivalOf(
  { effect, hidden }: WantedProtection,
  shown: Shown | undefined,
  dateShown: number | undefined,
): Arrival {
  if (!shown) return { name: 'arrived' };
  // Behind a picture that is hidden as a whole, the effect does not matter.
  const isInStream = shown.hidden === hidden && (hidden || shown.effect === effect);
  if (!isInStream) return { name: 'awaited' };
  if (dateShown === undefined || dateShown >= shown.since) return { name: 'arrived' };
  return { name: 'under_way', seconds: (shown.since - dateShown) / 1000 };
}
