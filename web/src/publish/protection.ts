import { isWeaker, type Effect, type Shown } from '@facecast/shared/protocol/ingest-protocol';

/** How viewers are protected: the effect on faces, or the whole picture hidden. */
export interface WantedProtection {
  effect: Effect;
  hidden: boolean;
}

/** The protection chosen, and a weaker one that the publisher is asked to confirm, if any. */
export interface Protection extends WantedProtection {
  asked: WantedProtection | undefined;
}

/** An action of the publisher. */
export type ProtectionEvent =
  | { type: 'choose_effect'; effect: Effect }
  | { type: 'hide' }
  | { type: 'show' }
  /** The answer to the question. */
  | { type: 'confirm' }
  | { type: 'keep' };

/**
 * The protection after `event`. A stronger one applies at once. A weaker one, while others can see the
 * stream, must be confirmed first; until then everything stays as it is.
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

/** How far a change has got on its way to viewers. */
export type Arrival =
  /** Viewers see the chosen protection. */
  | { name: 'arrived' }
  /** The server has not applied it yet, or has not reported it. */
  | { name: 'awaited' }
  /** It is in the stream; this page's player shows it in so many seconds. */
  | { name: 'under_way'; seconds: number };

/**
 * How far the chosen protection has got on its way to viewers.
 *
 * @param shown how viewers are protected at the end of the stream, by the server's last report
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
