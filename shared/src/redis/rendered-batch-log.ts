import { FENCE, LeaseLostError, type Fence } from '../lease/lease.js';
import { renderedEntrySchema, type InputEnd, type RenderedEntry } from '../protocol/messages.js';
import type { Logger } from '../runtime/logger.js';
import { KEY_PREFIX, type Redis, SESSION_TTL_SECONDS, warnUnlessOutage } from './redis.js';
import { renderedLogKey } from './session-keys.js';

/** An entry of the log, and the id by which it is removed. */
export interface LoggedEntry {
  id: string;
  entry: RenderedEntry;
}

/** Maximum number of entries that one read returns for one session. */
const ENTRIES_A_READ = 100;

/**
 * The log of each session's rendered batches: a Redis stream, appended to by any detector in the order they
 * finish, and read by the segmenter that owns the session. An entry stays until it is removed, so that a
 * successor finds every batch that is not listed yet.
 */
export class RenderedBatchLog {
  constructor(private readonly redis: Redis) {}

  async append(sessionId: string, entry: RenderedEntry): Promise<void> {
    const key = renderedLogKey(sessionId);
    await Promise.all([
      this.redis.xadd(key, '*', 'entry', JSON.stringify(entry)),
      this.redis.expire(key, SESSION_TTL_SECONDS),
    ]);
  }

  /**
   * Appends the end of the input; fenced by the `decode` lease.
   * @throws {LeaseLostError} if another replica owns the session: then nothing is appended
   */
  async appendEnd(lease: Fence, end: InputEnd): Promise<void> {
    const keys = [lease.key, renderedLogKey(lease.sessionId)];
    const args = [lease.epoch, JSON.stringify(end), SESSION_TTL_SECONDS];
    const appended = await this.redis.eval(APPEND_FENCED, keys.length, ...keys, ...args);
    if (appended !== 1) throw new LeaseLostError();
  }

  /** Removes entries whose batches are listed. */
  async remove(sessionId: string, ids: string[]): Promise<void> {
    if (ids.length > 0) await this.redis.xdel(renderedLogKey(sessionId), ...ids);
  }

  /** Removes the session's whole log. */
  async removeSession(sessionId: string): Promise<void> {
    await this.redis.unlink(renderedLogKey(sessionId));
  }
}

const APPEND_FENCED = `${FENCE}redis.call('XADD', KEYS[2], '*', 'entry', ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1`;

type Receive = (entries: LoggedEntry[]) => void;
type Watched = { after: string; receive: Receive };

/**
 * A stream that every reader reads besides: an entry in it ends its blocking read, so that it can add a
 * session.
 */
const WAKE_KEY = `${KEY_PREFIX}:marked-wake`;

/** A blocking read without entries ends after this time, in milliseconds, and begins anew. */
const MAX_READ_MS = 5_000;

/**
 * Reads the logs of all sessions of a replica with one blocking command on one connection. It begins with
 * the entries that a session's log already has.
 */
export class RenderedBatchLogReader {
  private readonly sessions = new Map<string, Watched>();
  private readonly reading: Redis;
  private wakeAfter = '$';
  private loop: Promise<void> | undefined;
  private closed = false;

  /** @param redis for short commands; the blocking connection is duplicated from it */
  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
  ) {
    this.reading = redis.duplicate({ maxRetriesPerRequest: null });
    this.reading.on('error', () => {});
  }

  /** Calls `receive` with the session's entries from now on, in the order of the log. */
  async add(sessionId: string, receive: Receive): Promise<void> {
    this.sessions.set(sessionId, { after: '0', receive });
    if (this.loop) await this.redis.xadd(WAKE_KEY, 'MAXLEN', 1, '*', 'session', sessionId);
    else this.loop = this.readAll();
  }

  remove(sessionId: string): void {
    this.sessions.delete(sessionId);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.reading.disconnect();
    await this.loop;
  }

  private async readAll(): Promise<void> {
    // '$' would mean "after the newest at the time of each read" and miss what comes between two.
    this.wakeAfter = (await this.redis.xrevrange(WAKE_KEY, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0';
    while (!this.closed && this.sessions.size > 0) {
      try {
        await this.readOnce();
      } catch (error) {
        if (this.closed) return;
        // ioredis reconnects by itself, and the next read waits until it has.
        warnUnlessOutage(this.log, error, 'reading the rendered logs was interrupted');
      }
    }
    // In the same synchronous step as the last look at the sessions, so that none is added to a loop that
    // is over.
    this.loop = undefined;
  }

  private async readOnce(): Promise<void> {
    const watched = [...this.sessions];
    const replies = await this.reading.xread(
      'COUNT',
      ENTRIES_A_READ,
      'BLOCK',
      MAX_READ_MS,
      'STREAMS',
      WAKE_KEY,
      ...watched.map(([sessionId]) => renderedLogKey(sessionId)),
      this.wakeAfter,
      ...watched.map(([, { after }]) => after),
    );
    const asked = new Map(watched);
    for (const [key, entries] of replies ?? []) this.deliver(asked, key, entries);
  }

  private deliver(asked: Map<string, Watched>, key: string, entries: [string, string[]][]): void {
    const last = entries.at(-1);
    if (!last) return;
    if (key === WAKE_KEY) {
      this.wakeAfter = last[0];
      return;
    }
    const sessionId = key.slice(renderedLogKey('').length);
    const session = this.sessions.get(sessionId);
    // The session was removed, or added anew, while the read was under way.
    if (!session || session !== asked.get(sessionId)) return;
    session.after = last[0];
    session.receive(entries.flatMap(([id, fields]) => this.parse(id, fields)));
  }

  private parse(id: string, fields: string[]): LoggedEntry[] {
    try {
      return [{ id, entry: renderedEntrySchema.parse(JSON.parse(fields[1] ?? '')) }];
    } catch (error) {
      this.log.error({ err: error, id }, 'unreadable entry in a rendered log');
      return [];
    }
  }
}
