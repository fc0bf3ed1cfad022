import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import { LeaseLostError } from '@facecast/shared/lease/lease';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { fileVersion, writeWholeNow, type FileVersion } from '../atomic-files.js';
import { initName, renderPlaylist, targetSeconds, type Segment } from './media-playlist.js';
import { FRESH, readFolder, type FoundFolder } from './resume.js';
import { SlidingWindow, type Placed } from './sliding-window.js';

export interface PackagerSettings {
  cadence: Cadence;
  /** How much of the stream the live playlist holds. */
  windowSeconds: number;
  /** Waits for room where the session's folder has none; without it, that is a failure at once. */
  volume?: Pick<RetryOnDiskFull, 'write'>;
  /** Rejects where the folder is another replica's by now. */
  confirm?: () => Promise<void>;
}

/** Parts can be fetched for this many target durations after they were unlisted (6.2.2). */
const PARTS_KEPT_TARGETS = 3;

/**
 * One session's folder: initialization sections, parts, segments and the playlist that lists them.
 *
 * A part is listed once it is there; what is listed never changes; and what is listed no more stays
 * for as long as somebody who has just loaded the playlist may ask for it. All that a successor must
 * know is in the folder: see `resume.ts`.
 */
export class Packager {
  /** Batches and frames that the playlist lists, or has listed. */
  batches: number;
  frames: number;
  private readonly window: SlidingWindow;
  private nextInit: number;
  /** Contents of the growing segment's parts. */
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
   * Goes on with what the folder holds, and makes it this process's own. A folder that is not there
   * must be there before the first part.
   * @param now a clock in milliseconds that never goes back
   */
  static async open(
    folder: string,
    settings: PackagerSettings,
    now: () => number = () => performance.now(),
  ): Promise<Packager> {
    const found = await readFolder(folder, settings.cadence);
    const packager = new Packager(folder, settings, found ?? FRESH, now);
    // What follows is done in one go: nobody else writes in between.
    await settings.confirm?.();
    if (!found) return packager;
    packager.remove(found.orphans);
    packager.retire(found.unlisted, packager.segmentKeepMs);
    if (found.playlist && !found.playlist.ended) {
      packager.written = writeWholeNow(packager.playlistPath, packager.render());
    }
    return packager;
  }

  /** Whether there is a playlist. */
  get started(): boolean {
    return this.window.segments.length > 0;
  }

  /** What is listed now. */
  get segments(): readonly Segment[] {
    return this.window.segments;
  }

  /** Whether the session has audio; undefined where it has no part yet. */
  get hasAudio(): boolean | undefined {
    return this.found.hasAudio;
  }

  /** What the playlist says about when the newest part ended, in milliseconds since 1970. */
  get endDate(): number {
    return this.window.endDate ?? NaN;
  }

  /** Whether the playlist has its EXT-X-ENDLIST. */
  get ended(): boolean {
    return this.window.ended;
  }

  /**
   * The part of this batch that a predecessor wrote and could not list any more. The playlist hinted
   * at its name, so a player may have it: it is listed as it is.
   */
  hintedPart(batch: number): Buffer | undefined {
    return this.found.hintedPart?.batch === batch ? this.found.hintedPart.content : undefined;
  }

  /** The next part is the first of a new encoder, whose initialization section this is. */
  begin(init: Buffer): void {
    this.pendingInit = { name: initName(this.nextInit++), content: init };
  }

  /**
   * Writes one part and lists it; then it is published.
   * @throws {LeaseLostError} where another process writes the playlist; then nothing is written
   */
  async add(
    part: { firstFrame: number; frames: number; capturedAt: number },
    content: Buffer,
  ): Promise<{ msn: number; part: number }> {
    // Before anything is written: its names may be those of a successor's files.
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

  /** Removes what nobody may ask for any more. */
  async tidy(): Promise<void> {
    const now = this.now();
    const due = this.retired.filter(({ at }) => at <= now);
    if (due.length === 0) return;
    this.retired = this.retired.filter(({ at }) => at > now);
    this.remove(due.map(({ name }) => name));
  }

  /** Ends the playlist, if there is one that has not ended yet. */
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

  /** 6.2.2: its own duration and that of the longest playlist that listed it. */
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
