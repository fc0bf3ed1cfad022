import { levelFor, lighterLevel, LOWEST_QUALITY } from './quality.js';

/** How well chunks come through to the server. */
export interface Uplink {
  /** How long the oldest chunk that the server does not have has waited. */
  waitedSeconds: number;
  /** Bytes that the server does not have yet. */
  waitingBytes: number;
  /** Bytes that the server has, in all. */
  acknowledgedBytes: number;
}

/** What is known at one moment. */
export interface UplinkSample extends Uplink {
  /** The moment, on a steady clock. */
  atSeconds: number;
  /** From a chunk's arrival at the server to its pictures being listed; undefined before the first. */
  serverSeconds: number | undefined;
}

/** What stands in the way of a better picture. */
export type QualityLimitation = 'connection' | 'server';

/** Which quality is to be sent, and what the next decision needs to know. Times are on the samples' clock. */
export interface Adaptation {
  /** A number of QUALITIES: 0 is the best. */
  level: number;
  limitation: QualityLimitation;
  /** Whether what waits to be sent gives way to another input stream: sending it would take too long. */
  dropsWaiting: boolean;
  changedAtSeconds: number;
  /** Whether the last change was a step up. */
  climbed: boolean;
  /** How long all must be well before the next step up. */
  patienceSeconds: number;
  /** Since when all is well; undefined if it is not. */
  wellSinceSeconds: number | undefined;
  /** Since when the server is late; undefined if it is not. */
  lateSinceSeconds: number | undefined;
  /** Those of the last LOOK_BACK_SECONDS, oldest first. */
  samples: readonly UplinkSample[];
}

/** A chunk that has waited longer was not sent in time; one hiccup of a network is shorter. */
const LATE_SECONDS = 1;
/** A chunk that waited no longer came through well. */
const WELL_SECONDS = 0.5;
/** The connection is too slow if all chunks of this time were late; its rate is measured over the same time. */
const LOOK_BACK_SECONDS = 2;
/** What waits is no trouble if it will have been sent within this time. */
const CLEARED_SOON_SECONDS = 5;
/** What waits is dropped if sending it would take longer: live video cannot wait. */
const MAX_CATCH_UP_SECONDS = 2;
/** At the lowest quality, too, what waits is dropped once it has waited longer. */
const MAX_WAIT_SECONDS = 10;
/** Of what a connection carries, the share that a picture may take. */
const USABLE_SHARE = 0.75;
/** A change shows what it did after this time. */
const SETTLING_SECONDS = 3;
/** A server that needs longer for a chunk is late. */
const SERVER_LATE_SECONDS = 3;
/** A server that is late for this long has more to decode than it can. */
const SERVER_LATE_FOR_SECONDS = 5;
/** A server that needs no longer for a chunk has room. */
const SERVER_WELL_SECONDS = 1.5;
/** Before the first step up, and before each one after a step up that held. */
export const FIRST_PATIENCE_SECONDS = 10;
/** A step up that failed doubles the patience, up to this. */
export const MAX_PATIENCE_SECONDS = 160;
/** A step up after which it becomes too much within this time has failed. */
const PROBATION_SECONDS = 20;

export const BEST: Adaptation = {
  level: 0,
  limitation: 'connection',
  dropsWaiting: false,
  changedAtSeconds: -Infinity,
  climbed: false,
  patienceSeconds: FIRST_PATIENCE_SECONDS,
  wellSinceSeconds: undefined,
  lateSinceSeconds: undefined,
  samples: [],
};

/**
 * The quality to send from now on. It falls as soon as it is sure that the present one is too much,
 * at once to what the connection was seen to carry; it rises step by step, after some time in which all
 * was well, and later each time that a step up has failed.
 *
 * @param sample undefined while there is no connection, of which nothing can be learned
 */
export function adapt(before: Adaptation, sample: UplinkSample | undefined): Adaptation {
  const known = { ...before, dropsWaiting: false };
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
    return isHopeless ? { ...changed(now, atSeconds), dropsWaiting: true } : undefined;
  }
  if (
    now.lateSinceSeconds !== undefined &&
    atSeconds - now.lateSinceSeconds >= SERVER_LATE_FOR_SECONDS
  )
    return lowerTo(lighterLevel(now.level), 'server', now, atSeconds);
  const bitsPerSecond = tooSlow(now.samples);
  if (bitsPerSecond === undefined) return undefined;
  const level = Math.max(now.level + 1, levelFor(USABLE_SHARE * bitsPerSecond));
  const catchUpSeconds = (8 * sample.waitingBytes) / bitsPerSecond;
  const dropsWaiting = catchUpSeconds > MAX_CATCH_UP_SECONDS;
  // A server that is late also takes less from a fast connection.
  const isServerWell = (sample.serverSeconds ?? 0) <= SERVER_WELL_SECONDS;
  const limitation = isServerWell ? 'connection' : 'server';
  return { ...lowerTo(level, limitation, now, atSeconds), dropsWaiting };
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
  const clearedPerSecond = (first.waitingBytes - last.waitingBytes) / seconds;
  if (last.waitingBytes <= clearedPerSecond * CLEARED_SOON_SECONDS) return undefined;
  return (8 * acknowledged) / seconds;
}

/** The samples that a decision at `atSeconds` needs: back to the last one that is old enough. */
function recent(samples: readonly UplinkSample[], atSeconds: number): readonly UplinkSample[] {
  const oldEnough = samples.findLastIndex(
    (sample) => atSeconds - sample.atSeconds >= LOOK_BACK_SECONDS,
  );
  return samples.slice(Math.max(0, oldEnough));
}
