import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LivePlaylists } from '../playback/live-playlists.js';
import type { PlaylistState } from '../playback/playlist-state.js';
import type { PlaylistVersion } from '../playback/playlist-version.js';
import { type ListedPart, listedParts } from './listed-parts.js';
import { decodeTimeOf, mimeTypeOf, timescaleOf } from './mp4-facts.js';
import type { PushedInit, PushedPart, PushViewer } from './push-viewer.js';

export interface PushedSessionDeps {
  hlsDir: string;
  playlists: LivePlaylists;
  /** Reads a media file, once for all who want it at the same time; rejects where there is none. */
  read: (path: string) => Promise<Buffer>;
}

/** Time before the playlist is asked again after a refusal. */
const RETRY_MS = 250;

type Place = Pick<ListedPart, 'msn' | 'part'>;

/** One session's parts, as they are listed, for all of its viewers. */
export class PushedSession {
  private readonly viewers = new Set<PushViewer>();
  /** What a viewer who joins begins with: the parts from the newest key frame on. */
  private sinceKeyFrame: PushedPart[] = [];
  private inits = new Map<string, PushedInit & { timescale: number | undefined }>();
  private last: Place | undefined;
  /** Whether parts are missing, and no key frame has come since. */
  private isBroken = false;
  private isClosed = false;
  /** Whether `run` is under way. */
  isRunning = false;

  constructor(
    private readonly sessionId: string,
    private readonly deps: PushedSessionDeps,
  ) {}

  get size(): number {
    return this.viewers.size;
  }

  join(viewer: PushViewer): void {
    this.viewers.add(viewer);
    for (const part of this.sinceKeyFrame) viewer.send(part);
  }

  leave(viewer: PushViewer): void {
    this.viewers.delete(viewer);
  }

  /**
   * Sends what is listed until the session has ended, or nobody watches it any more. `starting`: there is no
   * playlist, and this is to be called again when there is one.
   */
  async run(): Promise<'ended' | 'starting' | 'unwatched'> {
    this.isRunning = true;
    try {
      return await this.pushAll();
    } finally {
      this.isRunning = false;
    }
  }

  private async pushAll(): Promise<'ended' | 'starting' | 'unwatched'> {
    while (this.size > 0 && !this.isClosed) {
      const playlist = await this.deps.playlists.get(this.sessionId);
      if (!playlist) return 'starting';
      const decide = (state: PlaylistState) =>
        ({ kind: state.ended || this.hasMore(state) ? 'now' : 'wait' }) as const;
      const outcome = await playlist.hold(decide).outcome;
      // Without news for seconds, or with too many requests held, it asks again.
      if (outcome.kind !== 'now') {
        await delay(RETRY_MS);
        continue;
      }
      await this.pushNew(outcome.version);
      if (outcome.version.state.ended) return 'ended';
    }
    return 'unwatched';
  }

  /** Ends the wait for more, and tells all viewers. */
  close(code: number, reason: string): void {
    this.isClosed = true;
    for (const viewer of this.viewers) viewer.close(code, reason);
  }

  /** Tells all viewers that the stream is over. */
  end(): void {
    for (const viewer of this.viewers) viewer.end();
  }

  private hasMore({ lastMsn, partsOfLast, openParts }: PlaylistState): boolean {
    const newest =
      openParts > 0
        ? { msn: lastMsn + 1, part: openParts - 1 }
        : { msn: lastMsn, part: partsOfLast - 1 };
    return !this.last || isAfter(newest, this.last);
  }

  private async pushNew(version: PlaylistVersion): Promise<void> {
    const { last } = this;
    const listed = listedParts(version.text);
    const from = last
      ? listed.findIndex((part) => isAfter(part, last))
      : listed.findLastIndex(({ isIndependent }) => isIndependent);
    const fresh = from < 0 ? [] : listed.slice(from);
    for (const part of fresh) await this.push(part);
    if (version.state.ended) await this.pushUnlisted();
  }

  /** An ended playlist lists no parts: those that came with its end are found by their names. */
  private async pushUnlisted(): Promise<void> {
    const init = [...this.inits.keys()].at(-1);
    for (let place = this.last; place && init !== undefined;) {
      const { msn, part } = { msn: place.msn, part: place.part + 1 };
      const uri = `${msn}.${part}.m4s`;
      const pushed = await this.push({
        msn,
        part,
        uri,
        init,
        isIndependent: false,
        date: undefined,
      });
      place = pushed ? { msn, part } : undefined;
    }
  }

  /** Resolves to false where the part is not there (any more). */
  private async push(listed: ListedPart): Promise<boolean> {
    const { msn, part, isIndependent } = listed;
    const bytes = await this.read(listed.uri);
    const init = bytes && (await this.initOf(listed.init));
    if (!bytes || !init || (this.last && !follows(listed, this.last))) this.break();
    this.last = { msn, part };
    if (!bytes || !init) return false;
    if (this.isBroken && !isIndependent) return true;
    this.isBroken = false;
    this.send({ init, bytes, isIndependent, date: dateOf(listed, bytes, init.timescale) });
    return true;
  }

  private send(part: PushedPart): void {
    if (part.isIndependent) this.sinceKeyFrame = [];
    this.sinceKeyFrame.push(part);
    for (const viewer of this.viewers) viewer.send(part);
  }

  private break(): void {
    this.isBroken = true;
    this.sinceKeyFrame = [];
    for (const viewer of this.viewers) viewer.leaveGap();
  }

  private async initOf(name: string) {
    const known = this.inits.get(name);
    if (known) return known;
    const bytes = await this.read(name);
    if (!bytes) return undefined;
    const init = { bytes, mimeType: mimeTypeOf(bytes), timescale: timescaleOf(bytes) };
    this.inits = new Map([[name, init]]);
    return init;
  }

  private async read(name: string): Promise<Buffer | undefined> {
    try {
      return await this.deps.read(join(this.deps.hlsDir, this.sessionId, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function isAfter(a: Place, b: Place): boolean {
  return a.msn > b.msn || (a.msn === b.msn && a.part > b.part);
}

/** Whether there is no part between the two. How many a segment has is not known before it is whole. */
function follows(next: Place, last: Place): boolean {
  if (next.msn === last.msn) return next.part === last.part + 1;
  return next.msn === last.msn + 1 && next.part === 0;
}

function dateOf({ date }: ListedPart, bytes: Buffer, timescale: number | undefined) {
  const time = decodeTimeOf(bytes);
  if (date === undefined || time === undefined || !timescale) return undefined;
  return { mediaTime: time / timescale, date };
}
