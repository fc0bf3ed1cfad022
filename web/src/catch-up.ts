/** Further behind than this (seconds), playback jumps to the live edge instead of hurrying. */
const JUMP_BEHIND_SECONDS = 2;
/** Behind by less than this (seconds) is on time. */
const ON_TIME_SECONDS = 0.04;
/** What must stay buffered (seconds) while hurrying: hurrying into a stall would gain nothing. */
const KEEP_BUFFERED_SECONDS = 0.25;
/** Nearer to the live edge than wanted by more than this (seconds) is too near: a stall is close. */
const TOO_NEAR_SECONDS = 0.08;
/** How playback falls back from too near. */
const FALL_BACK_RATE = 0.94;
/** The fastest playback: people and water still move plausibly. */
const MAX_RATE = 1.3;
/** Rate gained by each second behind. */
const RATE_PER_SECOND_BEHIND = 0.5;
/** Rates are whole multiples of this, so that the rate is not set anew at each look. */
const RATE_STEP = 0.02;

/** What each stall adds to the distance from the live edge, in seconds. */
const MARGIN_PER_STALL_SECONDS = 0.1;
/** The most that stalls add, in seconds. */
const MAX_MARGIN_SECONDS = 1;
/** Each spell so long (seconds) without a stall takes one stall's worth back. */
const QUIET_SPELL_SECONDS = 20;
/** Stalls in the first seconds tell of the start, not of the network. */
const SETTLING_SECONDS = 5;
/** Stalls so near to each other (seconds) are one. */
const ONE_STALL_SECONDS = 1;

/** How playback stands, in seconds. */
export interface PlaybackPosition {
  /** Further from the live edge than wanted; negative where nearer. */
  behind: number;
  /** Buffered ahead of the picture on the screen. */
  buffered: number;
}

export type CatchUp = { action: 'jump' } | { action: 'play'; rate: number };

/**
 * What playback should do to be where it is wanted: play on, hurry or
 * linger a little, or jump.
 * hls.js's own catch-up stops at one second of buffer, which here is more than the whole latency.
 */
export function catchUp({ behind, buffered }: PlaybackPosition): CatchUp {
  if (behind > JUMP_BEHIND_SECONDS) return { action: 'jump' };
  if (behind < -TOO_NEAR_SECONDS) return { action: 'play', rate: FALL_BACK_RATE };
  if (behind < ON_TIME_SECONDS || buffered < KEEP_BUFFERED_SECONDS) {
    return { action: 'play', rate: 1 };
  }
  const wanted = Math.min(MAX_RATE, 1 + RATE_PER_SECOND_BEHIND * behind);
  return { action: 'play', rate: Math.round(wanted / RATE_STEP) * RATE_STEP };
}

/** Distance kept on top of the playlist's own: grows with each stall, shrinks in quiet times. */
export class StallMargin {
  #seconds = 0;
  #changedAt = 0;
  #lastStallAt = -Infinity;
  readonly #startedAt: number;

  /** @param now when playback begins, in seconds on any steady clock */
  constructor(now: number) {
    this.#startedAt = now;
  }

  /** Notes a stall at `now`, on the same clock. */
  onStall(now: number): void {
    const sinceLast = now - this.#lastStallAt;
    this.#lastStallAt = now;
    if (now - this.#startedAt < SETTLING_SECONDS || sinceLast < ONE_STALL_SECONDS) return;
    this.#seconds = Math.min(MAX_MARGIN_SECONDS, this.seconds(now) + MARGIN_PER_STALL_SECONDS);
    this.#changedAt = now;
  }

  /** The margin at `now`, in seconds. */
  seconds(now: number): number {
    const quietSpells = Math.floor((now - this.#changedAt) / QUIET_SPELL_SECONDS);
    return Math.max(0, this.#seconds - quietSpells * MARGIN_PER_STALL_SECONDS);
  }
}
