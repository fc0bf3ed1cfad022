import { join } from 'node:path';
import type { FacecastEvent } from '@facecast/shared/protocol/events';
import type { Logger } from '@facecast/shared/runtime/logger';
import { Refusal } from '../errors.js';
import { LivePlaylist } from './live-playlist.js';
import { WaitingRoom } from './waiting-room.js';

/** Most playlists kept in memory. */
const MAX_PLAYLISTS = 1_000;
/** One that nobody asked for in this time is forgotten. */
const UNUSED_MS = 10_000;
/** How old a copy may be without an event: an event may be lost with a Redis connection. */
const OLDEST_COPY_MS = 500;
/** How often held requests are looked over; each may be held longer by this. */
const SWEEP_MS = 250;

/** The playlists that somebody watches at the moment, read once a change whoever many watch. */
export class LivePlaylists {
  private readonly playlists = new Map<string, { playlist: LivePlaylist; usedAt: number }>();
  private readonly timer: NodeJS.Timeout;
  private readonly room: WaitingRoom;
  private readonly now: () => number;

  constructor(
    private readonly hlsDir: string,
    private readonly log: Logger,
    options: {
      room?: WaitingRoom;
      /** A clock in milliseconds. */
      now?: () => number;
    } = {},
  ) {
    this.room = options.room ?? new WaitingRoom();
    this.now = options.now ?? (() => performance.now());
    this.timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Requests held at the moment. */
  get waiting(): number {
    return this.room.size;
  }

  /** Playlists in memory. */
  get size(): number {
    return this.playlists.size;
  }

  /**
   * The playlist of a session, up to date; undefined where there is none.
   * @throws {Refusal} where too many are being watched
   */
  async get(sessionId: string): Promise<LivePlaylist | undefined> {
    const entry = this.playlists.get(sessionId) ?? this.add(sessionId);
    entry.usedAt = this.now();
    if (await entry.playlist.current(OLDEST_COPY_MS)) return entry.playlist;
    if (!entry.playlist.isAwaited) this.playlists.delete(sessionId);
    return undefined;
  }

  /** Takes notice of an event: its session's playlist may have changed. */
  receive({ type, sessionId }: FacecastEvent): void {
    if (type === 'deleted') this.forget(sessionId);
    if (type !== 'part' && type !== 'ended' && type !== 'playlist_ready') return;
    this.playlists.get(sessionId)?.playlist.changed().catch(this.logFailure);
  }

  /** Forgets a session that was deleted, and refuses who waits for it. */
  forget(sessionId: string): void {
    this.playlists.get(sessionId)?.playlist.close('There is no such session (any more).');
    this.playlists.delete(sessionId);
  }

  /** Refuses what was held too long, makes up for lost events, forgets what nobody watches. */
  sweep(): void {
    const now = this.now();
    for (const [sessionId, { playlist, usedAt }] of this.playlists) {
      playlist.expire();
      if (playlist.isAwaited) {
        if (now - playlist.readAt > OLDEST_COPY_MS) playlist.refresh().catch(this.logFailure);
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
      throw new Refusal(503, 'Too many sessions are being watched.');
    }
    const path = join(this.hlsDir, sessionId, 'live.m3u8');
    const entry = { playlist: new LivePlaylist(path, this.room, this.now), usedAt: this.now() };
    this.playlists.set(sessionId, entry);
    return entry;
  }

  private readonly logFailure = (error: unknown) =>
    this.log.error({ err: error }, 'a playlist could not be read');
}
