/** Further behind than this (seconds), playback jumps to the live edge instead of hurrying. */
const JUMP_BEHIND_SECONDS = 2;
/** Behind by more than this (seconds) is hurried after, until it is less than the second figure. */
const HURRY_FROM_SECONDS = 0.1;
const HURRY_UNTIL_SECONDS = 0.02;
/** What must stay buffered (seconds) while hurrying: hurrying into a stall would gain nothing. */
const KEEP_BUFFERED_SECONDS = 0.15;
/** Ahead by more than this (seconds) is too near: a stall is close. */
const TOO_NEAR_SECONDS = 0.04;
/** The slowest and the fastest playback: people and water still move plausibly. */
const MIN_RATE = 0.76;
const MAX_RATE = 1.3;
/** Rate gained by each second behind. */
const HURRY_PER_SECOND = 0.5;
/**
 * Rate lost by each second too near; more than when hurrying, because after one late part the next may be
 * late, too.
 */
const LINGER_PER_SECOND = 2;
/** Rates are whole multiples of this, so that the rate is not set anew at each look. */
const RATE_STEP = 0.02;

/** State of playback; times are in seconds. */
export interface PlaybackPosition {
  /** Further from the live edge than wanted; negative where nearer. */
  behind: number;
  /** Buffered ahead of the picture on the screen. */
  buffered: number;
  /** The rate at which it runs. */
  rate: number;
}

export type CatchUp = { action: 'jump' } | { action: 'play'; rate: number };

/**
 * What playback should do to be where it is wanted: play on, hurry or linger a little, or jump.
 * hls.js's own catch-up stops at one second of buffer, which here is more than the whole latency.
 */
export function catchUp({ behind, buffered, rate }: PlaybackPosition): CatchUp {
  if (behind > JUMP_BEHIND_SECONDS) return { action: 'jump' };
  const hurryFrom = rate > 1 ? HURRY_UNTIL_SECONDS : HURRY_FROM_SECONDS;
  const hurries = behind > hurryFrom && buffered > KEEP_BUFFERED_SECONDS;
  if (!hurries && behind > -TOO_NEAR_SECONDS) return { action: 'play', rate: 1 };
  const perSecond = hurries ? HURRY_PER_SECOND : LINGER_PER_SECOND;
  const wanted = Math.max(MIN_RATE, Math.min(MAX_RATE, 1 + perSecond * behind));
  return { action: 'play', rate: Math.round(wanted / RATE_STEP) * RATE_STEP };
}
