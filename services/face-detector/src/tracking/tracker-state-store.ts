import type { Redis } from '@facecast/shared/redis/redis';
import { sessionKey, trackerStateKey } from '@facecast/shared/redis/session-keys';
import { parseState, serialiseState, type TrackerState } from './tracker-state.js';

/** A state older than this is of no use: faces have moved on. */
const LIFETIME_MS = 1_000;

/**
 * What any replica last knew of each session's faces, so that whichever gets the next batch need not
 * search it as a whole. In Redis, one short-lived hash a session; nobody has to remove it.
 */
export class TrackerStateStore {
  constructor(private readonly redis: Redis) {}

  /** The state after the newest batch, or undefined where there is none that is fresh. */
  async load(sessionId: string): Promise<TrackerState | undefined> {
    const text = await this.redis.hget(trackerStateKey(sessionId), 'state');
    return text === null ? undefined : parseState(text);
  }

  /** Keeps the state after `batch`, unless that of a newer batch is there, or the session is over. */
  async save(sessionId: string, batch: number, state: TrackerState): Promise<void> {
    await this.redis.eval(
      SAVE_NEWER,
      2,
      trackerStateKey(sessionId),
      sessionKey(sessionId),
      batch,
      serialiseState(state),
      LIFETIME_MS,
    );
  }
}

const SAVE_NEWER = `
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
local batch = redis.call('HGET', KEYS[1], 'batch')
if batch and tonumber(batch) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'batch', ARGV[1], 'state', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;
