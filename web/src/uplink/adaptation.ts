import { levelFor, lighterLevel, LOWEST_QUALITY } from './quality.js';

/** How well chunks come through to the server. */
export interface Uplink {
  /** How long the oldest unacknowledged chunk has waited, in seconds. */
  waitedSeconds: number;
  /** Bytes of unacknowledged chunks. */
  unacknowledgedBytes: number;
  /** Bytes of all acknowledged chunks. */
  acknowledgedBytes: number;
}

/** The state of the connection at one moment. */
export interface UplinkSample extends Uplink {
  /** The moment, on a steady clock. */
  atSeconds: number;
  /** From a chunk's arrival at the server to its pictures being listed; undefined before the first. */
  serverSeconds: number | undefined;
}

/** Why the quality is reduced (as WebRTC's `qualityLimitationReason`). */
export type QualityLimitation = 'connection' | 'server';

/** The quality to send, and what the next decision needs. Times are on the samples' clock. */
export interface Adaptation {
  /** A number of QUALITIES: 0 is the best. */
  level: number;
  limitation: QualityLimitation;
  /** Whether unsent chunks are dropped for another input stream, because sending them would take too long. */
  dropsUnacknowledged: boolean;
  changedAtSeconds: number;
  /** Whether the last change was a step up. */
  climbed: boolean;
  /** How long chunks must come through well before the next step up. */
  patienceSeconds: number;
  /** Since when chunks come through well; undefined if they do not. */
  wellSinceSeconds: number | undefined;
  /** Since when the server is late; undefined if it is not. */
  lateSinceSeconds: number | undefined;
  /** Samples of the last LOOK_BACK_SECONDS, oldest first. */
  samples: readonly UplinkSample[];
}

/** A chunk that has waited longer was not sent in time; one hiccup of a network is shorter. */
const LATE_SECONDS = 1;
/** A chunk that waited no longer came through well. */
const WELL_SECONDS = 0.5;
/** The connection is too slow if all chunks of this time were late; its rate is measured over the same time. */
const LOOK_BACK_SECONDS = 2;
/** Unacknowledged bytes do not matter if they will have been sent within this time, in seconds. */
const CLEARED_SOON_SECONDS = 5;
/** Unsent chunks are dropped if sending them would take longer, in seconds: live video cannot wait. */
const MAX_CATCH_UP_SECONDS = 2;
/** Even at the lowest quality, unsent chunks are dropped once they have waited longer, in seconds. */
const MAX_WAIT_SECONDS = 10;
/** Fraction of the connection's rate that a stream may use. */
const USABLE_SHARE = 0.75;
/** The effect of a change is visible after this time, in seconds. */
const SETTLING_SECONDS = 3;
/** A server that needs longer for a chunk is late. */
const SERVER_LATE_SECONDS = 3;
/** A server that is late for this long has more to decode than it can. */
const SERVER_LATE_FOR_SECONDS = 5;
/** A server that needs no longer for a chunk has room. */
const SERVER_WELL_SECONDS = 1.5;
/** Time before the first step up, and before each one after a step up that held, in seconds. */
export const FIRST_PATIENCE_SECONDS = 10;
/** Maximum of that time, in seconds: each step up that fails doubles it. */
export const MAX_PATIENCE_SECONDS = 160;
/** A step up has failed if the quality is too much within this time, in seconds. */
const PROBATION_SECONDS = 20;

export const BEST: Adaptation = {
  level: 0,
  limitation: 'connection',
  dropsUnacknowledged: false,
  changedAtSeconds: -Infinity,
  climbed: false,
  patienceSeconds: FIRST_PATIENCE_SECONDS,
  wellSinceSeconds: undefined,
  lateSinceSeconds: undefined,
  samples: [],
};

/**
 * The quality to send from now on. It falls as soon as the present one is surely too much, at once to what the
 * connection has carried; it rises step by step, after some time in which chunks came through well, and later
 * after each step up that failed.
 *
 * @param sample undefined while there is no connection, of which nothing can be learned
 */
export function adapt(before: Adaptation, sample: UplinkSample | undefined): Adaptation {
  const known = { ...before, dropsUnacknowledged: false };
  if (!sample)
    return { ...known, samples: [], wellSinceSeconds: undefined, lateSinceSeconds: undefined };
  const { atSeconds, waitedSeconds, serverSeconds = 0 } = sample;
  const isWell = waitedSeconds <= WELL_SECONDS && serverSeconds <= SERVER_WELL_SECONDS;
  const now: Adaptation = {
    ...known,
    samples: [...recent(before.samples, atSeconds), sample],
    wellSinceSeconds: isWell ? (before.wellSinceSeconds ?? atSeconds) : undefined,
    lateSinceSeconds:
      serverSeconds > SERVER_LATE_SECONDS ? (before.lateSinceSeconds ?? atSeconds) : undefined,
  };
  if (atSeconds - now.changedAtSeconds < SETTLING_SECONDS) return now;
  return lowered(now, sample) ?? raised(now, sample) ?? now;
}

function lowered(now: Adaptation, sample: UplinkSample): Adaptation | undefined {
  const { atSeconds } = sample;
  if (now.level === LOWEST_QUALITY) {
    const isHopeless =
      tooSlow(now.samples) !== undefined && sample.waitedSeconds > MAX_WAIT_SECONDS;
    return isHopeless ? { ...changed(now, atSeconds), dropsUnacknowledged: true } : undefined;
  }
  if (
    now.lateSinceSeconds !== undefined &&
    atSeconds - now.lateSinceSeconds >= SERVER_LATE_FOR_SECONDS
  )
    return lowerTo(lighterLevel(now.level), 'server', now, atSeconds);
  const bitsPerSecond = tooSlow(now.samples);
  if (bitsPerSecond === undefined) return undefined;
  const level = Math.max(now.level + 1, levelFor(USABLE_SHARE * bitsPerSecond));
  const catchUpSeconds = (8 * sample.unacknowledgedBytes) / bitsPerSecond;
  const dropsUnacknowledged = catchUpSeconds > MAX_CATCH_UP_SECONDS;
  // A server that is late also takes less from a fast connection.
  const isServerWell = (sample.serverSeconds ?? 0) <= SERVER_WELL_SECONDS;
  const limitation = isServerWell ? 'connection' : 'server';
  return { ...lowerTo(level, limitation, now, atSeconds), dropsUnacknowledged };
}

function lowerTo(
  level: number,
  limitation: QualityLimitation,
  now: Adaptation,
  atSeconds: number,
): Adaptation {
  const hasFailed = now.climbed && atSeconds - now.changedAtSeconds < PROBATION_SECONDS;
  const patienceSeconds = hasFailed
    ? Math.min(2 * now.patienceSeconds, MAX_PATIENCE_SECONDS)
    : FIRST_PATIENCE_SECONDS;
  return { ...changed(now, atSeconds), level, limitation, patienceSeconds, climbed: false };
}

function raised(now: Adaptation, { atSeconds }: UplinkSample): Adaptation | undefined {
  const { level, wellSinceSeconds, changedAtSeconds, patienceSeconds } = now;
  if (level === 0 || wellSinceSeconds === undefined) return undefined;
  if (atSeconds - Math.max(wellSinceSeconds, changedAtSeconds) < patienceSeconds) return undefined;
  return { ...changed(now, atSeconds), level: level - 1, climbed: true };
}

function changed(now: Adaptation, atSeconds: number): Adaptation {
  return {
    ...now,
    changedAtSeconds: atSeconds,
    samples: [],
    wellSinceSeconds: undefined,
    lateSinceSeconds: undefined,
  };
}

/** What the connection carries, in bits a second, if that is too little; undefined if it is not, or not surely. */
function tooSlow(samples: readonly UplinkSample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return undefined;
  const seconds = last.atSeconds - first.atSeconds;
  if (seconds < LOOK_BACK_SECONDS) return undefined;
  if (samples.some(({ waitedSeconds }) => waitedSeconds <= LATE_SECONDS)) return undefined;
  const acknowledged = last.acknowledgedBytes - first.acknowledgedBytes;
  // A connection that carries nothing at all is interrupted, not slow.
  if (acknowledged <= 0) return undefined;
  const clearedPerSecond = (first.unacknowledgedBytes - last.unacknowledgedBytes) / seconds;
  if (last.unacknowledgedBytes <= clearedPerSecond * CLEARED_SOON_SECONDS) return undefined;
  return (8 * acknowledged) / seconds;
}

/** The samples that a decision at `atSeconds` needs: back to the last one that is old enough. */
function recent(samples: readonly UplinkSample[], atSeconds: number): readonly UplinkSample[] {
  const oldEnough = samples.findLastIndex(
    (sample) => atSeconds - sample.atSeconds >= LOOK_BACK_SECONDS,
  );
  return samples.slice(Math.max(0, oldEnough));
}
