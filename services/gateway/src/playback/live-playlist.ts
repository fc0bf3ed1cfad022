import { readFile } from 'node:fs/promises';
import { deferred } from '@facecast/shared/runtime/deferred';
import type { Decision } from './decide.js';
import { PlaylistVersion } from './playlist-version.js';
import type { PlaylistState } from './playlist-state.js';
import type { HeldRequestLimit } from './held-request-limit.js';

/** The outcome of a held request. `gone`: its client has left. */
export type Outcome =
  | { kind: 'now'; version: PlaylistVersion }
  | { kind: 'refuse'; status: 400 | 404 | 503; message: string }
  | { kind: 'gone' };

/** A request that may be held. `leave` ends it as `gone`; later it does nothing. */
export interface HeldRequest {
  outcome: Promise<Outcome>;
  leave: () => void;
}

interface Waiter {
  decide: (state: PlaylistState) => Decision;
  /** When the request is refused, in milliseconds on the clock of `now`. */
  deadline: number;
  settle: (outcome: Outcome) => void;
}

/** How many target durations a request is held at most (rfc8216bis 6.2.5.2). */
const MAX_HOLD_TARGET_DURATIONS = 3;

/** One session's playlist as on the HLS volume, and the requests that are held until it changes. */
export class LivePlaylist {
  /** When the file was last read. */
  readAt = -Infinity;
  private version: PlaylistVersion | undefined;
  private isStale = true;
  /** What all requests get from now on; undefined while the playlist is open. */
  private closed: Outcome | undefined;
  private reading: Promise<void> | undefined;
  /** In order of arrival. */
  private readonly waiters = new Set<Waiter>();

  constructor(
    private readonly path: string,
    private readonly room: HeldRequestLimit,
    private readonly now: () => number,
  ) {}

  get isAwaited(): boolean {
    return this.waiters.size > 0;
  }

  /** Resolves to the newest version; undefined if there is no playlist. */
  async current(maxAgeMs: number): Promise<PlaylistVersion | undefined> {
    if (this.isStale || this.now() - this.readAt > maxAgeMs) await this.refresh();
    return this.version;
  }

  /** To be called when the file has changed. Without held requests, it is read at the next request. */
  async changed(): Promise<void> {
    this.isStale = true;
    if (this.isAwaited) await this.refresh();
  }

  /** Reads the file; after a change during the reading, reads it once more for all callers. */
  refresh(): Promise<void> {
    this.isStale = true;
    return (this.reading ??= this.readUntilFresh());
  }

  /** Holds a request until `decide` no longer says to wait. */
  hold(decide: Waiter['decide']): HeldRequest {
    const { version, closed } = this;
    if (closed) return settled(closed);
    if (!version) return settled(NO_PLAYLIST);
    const decision = decide(version.state);
    if (decision.kind !== 'wait') return settled(outcomeOf(decision, version));
    if (!this.room.enter(this.waiters.size)) return settled(TOO_MANY);
    return this.addWaiter(decide, version.state.targetDuration);
  }

  /** Refuses the requests that have been held for too long. */
  expire(): void {
    for (const waiter of this.waiters) {
      if (waiter.deadline > this.now()) return;
      this.release(waiter, TOO_LATE);
    }
  }

  /** Refuses all held requests; with `gone`, because the session does not exist any more. */
  close(gone?: string): void {
    this.closed = gone === undefined ? CLOSING : refusal(404, gone);
    for (const waiter of this.waiters) this.release(waiter, this.closed);
  }

  private addWaiter(decide: Waiter['decide'], targetDuration: number): HeldRequest {
    const outcome = deferred<Outcome>();
    const deadline = this.now() + MAX_HOLD_TARGET_DURATIONS * targetDuration * 1000;
    const waiter: Waiter = { decide, deadline, settle: outcome.resolve };
    this.waiters.add(waiter);
    return { outcome: outcome.promise, leave: () => this.release(waiter, { kind: 'gone' }) };
  }

  private release(waiter: Waiter, outcome: Outcome): void {
    if (!this.waiters.delete(waiter)) return;
    this.room.leave();
    waiter.settle(outcome);
  }

  private async readUntilFresh(): Promise<void> {
    try {
      while (this.isStale) {
        this.isStale = false;
        const text = await readPlaylistFile(this.path);
        this.version = text === undefined ? undefined : new PlaylistVersion(text);
        this.readAt = this.now();
      }
      this.wakeUp();
    } catch (error) {
      this.isStale = true;
      throw error;
    } finally {
      this.reading = undefined;
    }
  }

  private wakeUp(): void {
    const { version } = this;
    for (const waiter of this.waiters) {
      if (!version) {
        this.release(waiter, NO_PLAYLIST);
        continue;
      }
      const decision = waiter.decide(version.state);
      if (decision.kind !== 'wait') this.release(waiter, outcomeOf(decision, version));
    }
  }
}

const refusal = (status: 400 | 404 | 503, message: string): Outcome => ({
  kind: 'refuse',
  status,
  message,
});
const NO_PLAYLIST = refusal(404, 'There is no such session, or it has no playlist yet.');
const TOO_MANY = refusal(503, 'Too many requests are waiting.');
const TOO_LATE = refusal(503, 'The stream has not come so far in time.');
const CLOSING = refusal(503, 'The server is about to stop.');

function outcomeOf(decision: Exclude<Decision, { kind: 'wait' }>, version: PlaylistVersion) {
  return decision.kind === 'now'
    ? ({ kind: 'now', version } as const)
    : refusal(400, decision.message);
}

function settled(outcome: Outcome): HeldRequest {
  return { outcome: Promise.resolve(outcome), leave: () => {} };
}

async function readPlaylistFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
