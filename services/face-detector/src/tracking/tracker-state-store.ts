import type { Redis } from '@facecast/shared/redis/redis';
import { sessionKey, trackerStateKey } from '@facecast/shared/redis/session-keys';
import { parseState, serialiseState, type TrackerState } from './tracker-state.js';

/** Lifetime of a state in milliseconds: faces have moved on by then. */
const LIFETIME_MS = 1_000;

/**
 * The newest tracker state of each session, for the replica that gets the next batch. In Redis, in one
 * short-lived hash for each session.
 */
export class TrackerStateStore {
  constructor(private readonly redis: Redis) {}

  /** Resolves to the state after the newest batch; undefined if there is no fresh one. */
  async load(sessionId: string): Promise<TrackerState | undefined> {
    const text = await this.redis.hget(trackerStateKey(sessionId), 'state');
    return text === null ? undefined : parseState(text);
  }

  /** Saves the state after `batch`, unless a newer batch has saved one, or the session is over. */
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
