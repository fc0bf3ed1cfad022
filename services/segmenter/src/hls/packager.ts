import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import { LeaseLostError } from '@facecast/shared/lease/lease';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { fileVersion, writeWholeNow, type FileVersion } from '../atomic-files.js';
import { initName, renderPlaylist, targetSeconds, type Segment } from './media-playlist.js';
import { FRESH, readFolder, type FoundFolder } from './read-folder.js';
import { SlidingWindow, type Placed } from './sliding-window.js';

export interface PackagerSettings {
  cadence: Cadence;
  /** How much of the stream the live playlist lists, in seconds. */
  windowSeconds: number;
  /** Retries writes while the volume is full; without it, a full volume is a failure at once. */
  volume?: Pick<RetryOnDiskFull, 'write'>;
  /** Rejects if another replica owns the session by now. */
  confirm?: () => Promise<void>;
}

/** How many target durations parts stay after they were unlisted (6.2.2). */
const PARTS_KEPT_TARGETS = 3;

/**
 * One session's folder: initialization sections, parts, segments and the playlist that lists them.
 *
 * A part is listed once it is written. What is listed never changes, and what was unlisted stays for as
 * long as a player with an older playlist may ask for it. A successor needs nothing but the folder: see
 * `read-folder.ts`.
 */
export class Packager {
  /** How many batches and frames the playlist lists, or has listed. */
  batches: number;
  frames: number;
  private readonly window: SlidingWindow;
  private nextInit: number;
  /** Contents of the parts of the segment that is not complete. */
  private readonly openSegment: Buffer[];
  private written: FileVersion | undefined;
  private pendingInit: { name: string; content: Buffer } | undefined;
  private retired: { name: string; at: number }[] = [];

  private constructor(
    private readonly folder: string,
    private readonly settings: PackagerSettings,
    private readonly found: FoundFolder,
    private readonly now: () => number,
  ) {
    this.batches = found.batches;
    this.frames = found.frames;
    this.openSegment = [...found.openSegment];
    this.nextInit = found.nextInit;
    this.window = new SlidingWindow(settings.cadence, settings.windowSeconds, found.playlist);
  }

  /**
   * Resumes with what the folder holds, and takes it over: it rewrites the playlist, whose new file version
   * makes `assertOwned` of an earlier owner fail. The folder must exist before the first part.
   * @param now a clock in milliseconds that never goes back
   */
  static async open(
    folder: string,
    settings: PackagerSettings,
    now: () => number = () => performance.now(),
  ): Promise<Packager> {
    const found = await readFolder(folder, settings.cadence);
    const packager = new Packager(folder, settings, found ?? FRESH, now);
    // From here on everything is synchronous: no other write of this process comes in between.
    await settings.confirm?.();
    if (!found) return packager;
    packager.remove(found.orphans);
    packager.retire(found.unlisted, packager.segmentKeepMs);
    if (found.playlist && !found.playlist.ended) {
      packager.written = writeWholeNow(packager.playlistPath, packager.render());
    }
    return packager;
  }

  /** Whether there is a playlist, with at least one part. */
  get started(): boolean {
    return this.window.segments.length > 0;
  }

  /** The segments that are listed now. */
  get segments(): readonly Segment[] {
    return this.window.segments;
  }

  /**
   * When the newest part ends by the playlist's dates, in milliseconds since the epoch; NaN without a
   * part.
   */
  get endDate(): number {
    return this.window.endDate ?? NaN;
  }

  /** Whether the playlist has its EXT-X-ENDLIST. */
  get ended(): boolean {
    return this.window.ended;
  }

  /**
   * The part of this batch that a predecessor wrote but did not list; undefined if it wrote none. The
   * playlist hinted at its name, so a player may have it already: it must be listed as it is.
   */
  hintedPart(batch: number): Buffer | undefined {
    return this.found.hintedPart?.batch === batch ? this.found.hintedPart.content : undefined;
  }

  /** To be called before a new encoder's first part, with its initialization section. */
  begin(init: Buffer): void {
    this.pendingInit = { name: initName(this.nextInit++), content: init };
  }

  /**
   * Writes one part and lists it. Resolves to its place once the playlist is written.
   * @throws {LeaseLostError} if another process has written the playlist: then nothing is written
   */
  async add(
    part: { firstFrame: number; frames: number; capturedAt: number },
    content: Buffer,
  ): Promise<{ msn: number; part: number }> {
    // Before anything is written: a successor's files may have the same names.
    this.assertOwned();
    const init = this.pendingInit;
    this.pendingInit = undefined;
    const placed = this.window.add(part, init?.name);
    if (init) await this.write(init.name, init.content);
    await this.write(placed.uri, content);
    await this.writeSegments(placed, content);
    await this.publish();
    this.batches++;
    this.frames = part.firstFrame + part.frames;
    this.retire(placed.unlisted.parts, this.partKeepMs);
    this.retire([...placed.unlisted.segments, ...placed.unlisted.inits], this.segmentKeepMs);
    return { msn: placed.msn, part: placed.part };
  }

  /** Removes files that no player may ask for any more. */
  async tidy(): Promise<void> {
    const now = this.now();
    const due = this.retired.filter(({ at }) => at <= now);
    if (due.length === 0) return;
    this.retired = this.retired.filter(({ at }) => at > now);
    this.remove(due.map(({ name }) => name));
  }

  /** Completes the last segment and ends the playlist; no effect if it has ended, or there is none. */
  async end(): Promise<void> {
    if (this.ended || !this.started) return;
    const last = this.window.end();
    if (last) await this.write(last.uri, Buffer.concat(this.openSegment));
    await this.publish();
  }

  private async writeSegments({ cut, completed }: Placed, content: Buffer): Promise<void> {
    if (cut) await this.write(cut.uri, Buffer.concat(this.openSegment.splice(0)));
    this.openSegment.push(content);
    if (completed) await this.write(completed.uri, Buffer.concat(this.openSegment.splice(0)));
  }

  private async publish(): Promise<void> {
    this.assertOwned();
    const text = this.render();
    this.written = await this.writeWithRetry(() => writeWholeNow(this.playlistPath, text));
  }

  private assertOwned(): void {
    if (fileVersion(this.playlistPath) !== this.written) throw new LeaseLostError();
  }

  private render(): string {
    return renderPlaylist(this.window, this.settings.cadence);
  }

  private get playlistPath(): string {
    return join(this.folder, HLS_FILES.playlist);
  }

  private async write(name: string, content: Buffer): Promise<void> {
    await this.writeWithRetry(() => writeWholeNow(join(this.folder, name), content));
  }

  private async writeWithRetry<Result>(write: () => Result): Promise<Result> {
    const { volume } = this.settings;
    return volume ? volume.write(async () => write()) : write();
  }

  private get partKeepMs(): number {
    return PARTS_KEPT_TARGETS * targetSeconds(this.settings.cadence) * 1000;
  }

  /** How long a segment stays after it was unlisted: its duration and the longest playlist's (6.2.2). */
  private get segmentKeepMs(): number {
    const target = targetSeconds(this.settings.cadence);
    return (target + this.settings.windowSeconds + 2 * target) * 1000;
  }

  private retire(names: string[], keepMs: number): void {
    const at = this.now() + keepMs;
    this.retired.push(...names.map((name) => ({ name, at })));
  }

  private remove(names: string[]): void {
    for (const name of names) rmSync(join(this.folder, name), { force: true });
  }
}
