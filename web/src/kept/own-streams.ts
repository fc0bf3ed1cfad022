import type { StartedSession } from '../uplink/started-session.js';

const KEY = 'facecast.streams';
/** Maximum number of streams that are kept; the oldest are dropped. */
const MAX_STREAMS = 50;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** A stream that was published from this browser. Times are in milliseconds since the epoch. */
export interface OwnStream extends StartedSession {
  startedAt: number;
  /** When it was known to be live last. */
  seenAt: number;
  /** Undefined while it runs, or if its end was not seen. */
  endedAt?: number;
}

/** When nothing of a stream is on the server any more. */
export function expiryOf({ recording, keptMinutes, endedAt, seenAt }: OwnStream): number {
  const keptMs = recording ? recording.keptHours * HOUR_MS : keptMinutes * MINUTE_MS;
  return (endedAt ?? seenAt) + keptMs;
}

/** The streams that were published from this browser, and of which there may still be something. */
export class OwnStreams {
  private readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
  private readonly now: () => number;

  constructor(
    storage: Pick<Storage, 'getItem' | 'setItem'> = localStorage,
    now: () => number = Date.now,
  ) {
    this.storage = storage;
    this.now = now;
  }

  /** The newest first. */
  get all(): OwnStream[] {
    const streams = JSON.parse(this.storage.getItem(KEY) ?? '[]') as OwnStream[];
    return streams.filter((stream) => expiryOf(stream) > this.now());
  }

  /** The session is live at this moment. */
  seen(session: StartedSession): void {
    const known = this.all.find(({ sessionId }) => sessionId === session.sessionId);
    const now = this.now();
    this.put({ ...session, startedAt: known?.startedAt ?? now, seenAt: now });
  }

  /** The session ended at this moment. */
  ended(session: StartedSession): void {
    const known = this.all.find(({ sessionId }) => sessionId === session.sessionId);
    if (known) this.put({ ...known, endedAt: this.now() });
  }

  /** There is nothing of it any more. */
  forget({ sessionId }: Pick<StartedSession, 'sessionId'>): void {
    this.write(this.all.filter((stream) => stream.sessionId !== sessionId));
  }

  private put(stream: OwnStream): void {
    const others = this.all.filter(({ sessionId }) => sessionId !== stream.sessionId);
    const all = [stream, ...others].sort((a, b) => b.startedAt - a.startedAt);
    this.write(all.slice(0, MAX_STREAMS));
  }

  private write(streams: OwnStream[]): void {
    this.storage.setItem(KEY, JSON.stringify(streams));
  }
}
