import { levelFor, lighterLevel, LOWEST_QUALITY } from './quality.js';

/** How well chunks come through to the server. */
export interface Uplink {
  /** How long the oldest chunk that the server does not have has waited. */
  waitedSeconds: number;
  /** Bytes that the server does not have yet. */
  waitingBytes: number;
  /** Bytes that it has, in all. */
  acknowledgedBytes: number;
}

/** What is known at one moment. */
export interface Sight extends Uplink {
  /** In seconds, on a steady clock. */
  at: number;
  /** From a chunk's arrival at the server to its pictures being listed; undefined before the first. */
  serverSeconds: number | undefined;
}

/** What stands in the way of a better picture. */
export type Hindrance = 'connection' | 'server';

/** Which quality is to be recorded, and what the next decision needs to know. */
export interface Adaptation {
  /** A number of QUALITIES: 0 is the best. */
  level: number;
  hindrance: Hindrance;
  /** Whether what waits to be sent gives way to another recording: sending it would take too long. */
  dropsWaiting: boolean;
  changedAt: number;
  /** Whether that was a step up. */
  climbed: boolean;
  /** How long all must be well before the next step up. */
  patience: number;
  /** Since when all is well, and since when the server is late. */
  wellSince: number | undefined;
  lateSince: number | undefined;
  /** Of the last seconds, oldest first. */
  sights: readonly Sight[];
}

/** A chunk that has waited longer (seconds) was not sent in time; one hiccup of a network is shorter. */
const LATE_SECONDS = 1;
/** Chunks that waited no longer (seconds) came through well. */
const WELL_SECONDS = 0.5;
/** So long (seconds) chunks must have been late, and so far back does a rate count. */
const LOOK_BACK_SECONDS = 2;
/** What waits is no trouble where it will have been sent within this (seconds). */
const CLEARED_SOON_SECONDS = 5;
/** What waits is dropped where sending it would take longer (seconds): live video cannot wait. */
const LONGEST_CATCH_UP_SECONDS = 2;
/** Even at the lowest quality nothing waits longer (seconds): what waits is dropped then, too. */
const LONGEST_WAIT_SECONDS = 10;
/** Of what a connection carries, the share that a picture may take. */
const USABLE_SHARE = 0.75;
/** Before a change shows what it did (seconds). */
const SETTLING_SECONDS = 3;
/** A server that needs longer (seconds), for so long (seconds), has more to decode than it can. */
const SERVER_LATE_SECONDS = 3;
const SERVER_LATE_FOR_SECONDS = 5;
/** One that needs no longer (seconds) has room. */
const SERVER_WELL_SECONDS = 1.5;
/** Before a step up (seconds): at first, and at most after steps up that failed, each doubling it. */
export const FIRST_PATIENCE_SECONDS = 10;
export const MOST_PATIENCE_SECONDS = 160;
/** A step up after which it becomes too much within this (seconds) has failed. */
const PROBATION_SECONDS = 20;

export const BEST: Adaptation = {
  level: 0,
  hindrance: 'connection',
  dropsWaiting: false,
  changedAt: -Infinity,
  climbed: false,
  patience: FIRST_PATIENCE_SECONDS,
  wellSince: undefined,
  lateSince: undefined,
  sights: [],
};

/**
 * The quality to record from now on. It falls as soon as it is sure that the present one is too much,
 * at once to what the connection was seen to carry; it rises step by step, after some time in which all
 * was well, and later each time that a step up has failed.
 *
 * @param sight undefined while there is no connection, of which nothing can be learned
 */
export function adapt(before: Adaptation, sight: Sight | undefined): Adaptation {
  const known = { ...before, dropsWaiting: false };
  if (!sight) return { ...known, sights: [], wellSince: undefined, lateSince: undefined };
  const { at, waitedSeconds, serverSeconds = 0 } = sight;
  const isWell = waitedSeconds <= WELL_SECONDS && serverSeconds <= SERVER_WELL_SECONDS;
  const now: Adaptation = {
    ...known,
    sights: [...recent(before.sights, at), sight],
    wellSince: isWell ? (before.wellSince ?? at) : undefined,
    lateSince: serverSeconds > SERVER_LATE_SECONDS ? (before.lateSince ?? at) : undefined,
  };
  if (at - now.changedAt < SETTLING_SECONDS) return now;
  return lowered(now, sight) ?? raised(now, sight) ?? now;
}

function lowered(now: Adaptation, sight: Sight): Adaptation | undefined {
  const { at } = sight;
  if (now.level === LOWEST_QUALITY) {
    const isHopeless =
      tooSlow(now.sights) !== undefined && sight.waitedSeconds > LONGEST_WAIT_SECONDS;
    return isHopeless ? { ...changed(now, at), dropsWaiting: true } : undefined;
  }
  if (now.lateSince !== undefined && at - now.lateSince >= SERVER_LATE_FOR_SECONDS)
    return lowerTo(lighterLevel(now.level), 'server', now, at);
  const bitsPerSecond = tooSlow(now.sights);
  if (bitsPerSecond === undefined) return undefined;
  const level = Math.max(now.level + 1, levelFor(USABLE_SHARE * bitsPerSecond));
  const catchUpSeconds = (8 * sight.waitingBytes) / bitsPerSecond;
  const dropsWaiting = catchUpSeconds > LONGEST_CATCH_UP_SECONDS;
  // A server that is late also takes less from a fast connection.
  const isServerWell = (sight.serverSeconds ?? 0) <= SERVER_WELL_SECONDS;
  const hindrance = isServerWell ? 'connection' : 'server';
  return { ...lowerTo(level, hindrance, now, at), dropsWaiting };
}

function lowerTo(level: number, hindrance: Hindrance, now: Adaptation, at: number): Adaptation {
  const hasFailed = now.climbed && at - now.changedAt < PROBATION_SECONDS;
  const patience = hasFailed
    ? Math.min(2 * now.patience, MOST_PATIENCE_SECONDS)
    : FIRST_PATIENCE_SECONDS;
  return { ...changed(now, at), level, hindrance, patience, climbed: false };
}

function raised(now: Adaptation, { at }: Sight): Adaptation | undefined {
  const { level, wellSince, changedAt, patience } = now;
  if (level === 0 || wellSince === undefined) return undefined;
  if (at - Math.max(wellSince, changedAt) < patience) return undefined;
  return { ...changed(now, at), level: level - 1, climbed: true };
}

function changed(now: Adaptation, at: number): Adaptation {
  return { ...now, changedAt: at, sights: [], wellSince: undefined, lateSince: undefined };
}

/** What the connection carries (bits a second), where that is too little; undefined where it is not, or not surely. */
function tooSlow(sights: readonly Sight[]): number | undefined {
  const [first, last] = [sights[0], sights.at(-1)];
  if (!first || !last) return undefined;
  const seconds = last.at - first.at;
  if (seconds < LOOK_BACK_SECONDS) return undefined;
  if (sights.some(({ waitedSeconds }) => waitedSeconds <= LATE_SECONDS)) return undefined;
  const acknowledged = last.acknowledgedBytes - first.acknowledgedBytes;
  // A connection that carries nothing at all is interrupted, not slow.
  if (acknowledged <= 0) return undefined;
  const clearedPerSecond = (first.waitingBytes - last.waitingBytes) / seconds;
  if (last.waitingBytes <= clearedPerSecond * CLEARED_SOON_SECONDS) return undefined;
  return (8 * acknowledged) / seconds;
}

/** The sights that a decision at `at` needs: back to the last one that is old enough. */
function recent(sights: readonly Sight[], at: number): readonly Sight[] {
  const oldEnough = sights.findLastIndex((sight) => at - sight.at >= LOOK_BACK_SECONDS);
  return sights.slice(Math.max(0, oldEnough));
}
