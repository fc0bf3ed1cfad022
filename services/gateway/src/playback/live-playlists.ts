import { join } from 'node:path';
import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import { HttpError } from '../errors.js';
import { LivePlaylist } from './live-playlist.js';
import { HeldRequestLimit } from './held-request-limit.js';

/** Maximum number of playlists in memory. */
const MAX_PLAYLISTS = 1_000;
/** A playlist without a request for this time, in milliseconds, is dropped. */
const UNUSED_MS = 10_000;
/** Maximum age of a copy without an event, in milliseconds: an event may be lost with a Redis connection. */
const MAX_COPY_AGE_MS = 500;
/** Time between two sweeps, in milliseconds; a request may be held longer by this. */
const SWEEP_MS = 250;

/** The playlists that are being watched, each read once for each change, however many viewers it has. */
export class LivePlaylists {
  private readonly playlists = new Map<string, { playlist: LivePlaylist; usedAt: number }>();
  private readonly timer: NodeJS.Timeout;
  private readonly room: HeldRequestLimit;
  private readonly now: () => number;

  constructor(
    private readonly hlsDir: string,
    private readonly log: Logger,
    options: {
      room?: HeldRequestLimit;
      /** A clock in milliseconds. */
      now?: () => number;
    } = {},
  ) {
    this.room = options.room ?? new HeldRequestLimit();
    this.now = options.now ?? (() => performance.now());
    this.timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Number of held requests. */
  get held(): number {
    return this.room.size;
  }

  /** Number of playlists in memory. */
  get size(): number {
    return this.playlists.size;
  }

  /**
   * Resolves to the playlist of a session, up to date; undefined if there is none.
   * @throws {HttpError} if too many are being watched
   */
  async get(sessionId: string): Promise<LivePlaylist | undefined> {
    const entry = this.playlists.get(sessionId) ?? this.add(sessionId);
    entry.usedAt = this.now();
    if (await entry.playlist.current(MAX_COPY_AGE_MS)) return entry.playlist;
    if (!entry.playlist.isAwaited) this.playlists.delete(sessionId);
    return undefined;
  }

  /** Receives an event: its session's playlist may have changed. */
  receive({ type, sessionId }: FacecastEvent): void {
    if (type === 'deleted') this.forget(sessionId);
    if (type !== 'part' && type !== 'ended' && type !== 'playlist_ready') return;
    this.playlists.get(sessionId)?.playlist.changed().catch(this.logFailure);
  }

  /** Drops a deleted session, and refuses its held requests. */
  forget(sessionId: string): void {
    this.playlists.get(sessionId)?.playlist.close('There is no such session (any more).');
    this.playlists.delete(sessionId);
  }

  /**
   * Refuses requests that were held too long, reads playlists again in case an event was lost, and drops
   * unused ones.
   */
  sweep(): void {
    const now = this.now();
    for (const [sessionId, { playlist, usedAt }] of this.playlists) {
      playlist.expire();
      if (playlist.isAwaited) {
        if (now - playlist.readAt > MAX_COPY_AGE_MS) playlist.refresh().catch(this.logFailure);
      } else if (now - usedAt > UNUSED_MS) {
        this.playlists.delete(sessionId);
      }
    }
  }

  /** Refuses all held requests. */
  close(): void {
    clearInterval(this.timer);
    for (const { playlist } of this.playlists.values()) playlist.close();
  }

  private add(sessionId: string) {
    if (this.playlists.size >= MAX_PLAYLISTS) this.sweep();
    if (this.playlists.size >= MAX_PLAYLISTS) {
      throw new HttpError(503, 'Too many sessions are being watched.');
    }
    const path = join(this.hlsDir, sessionId, 'live.m3u8');
    const entry = { playlist: new LivePlaylist(path, this.room, this.now), usedAt: this.now() };
    this.playlists.set(sessionId, entry);
    return entry;
  }

  private readonly logFailure = (error: unknown) =>
    this.log.error({ err: error }, 'a playlist could not be read');
}
