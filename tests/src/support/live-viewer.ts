import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Size } from '@facecast/shared/media/size';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import type { types } from 'hls-parser';
import { watchInFfmpeg, type Watched } from '../sources/watched.js';
import { HEIGHT, WIDTH } from './clips.js';
import { memory } from './memory.js';
import { HttpClient, nextPart, readPlaylist } from './playlist-client.js';

const RETRY_MS = 50;
/** A part that is missing after this many tries was removed; its segment has its frames. */
const MAX_TRIES_FOR_PART = 20;
/** A playlist that existed and is missing after this many tries is gone for good. */
const MAX_TRIES_FOR_PLAYLIST = 400;

/** Media of one encoder: its initialization section, and its segments by their numbers. */
interface Run {
  init: Buffer;
  segments: Map<number, Buffer[]>;
}

/**
 * Watches a live session as a low-latency player does and keeps every part of it. A gateway that does
 * not answer is asked again, as players do.
 */
export class LiveViewer {
  /** When each part came, in ms since the process began. */
  readonly arrivals: number[] = [];
  /** Answers that no player should get from a running gateway. */
  readonly complaints: string[] = [];
  discontinuities = 0;
  private readonly http = new HttpClient();
  private readonly runs = new Map<string, Run>();
  /** Parts that came, and parts that were removed before they were fetched. */
  private readonly seen = new Set<string>();
  private readonly gone = new Set<string>();
  /** Numbers of the segments that came completely. */
  private readonly whole = new Set<number>();
  private readonly waiters = new Set<() => void>();
  private hasEnded = false;
  private hasLeft = false;
  private newest = { msn: 0, part: 0, head: 0 };

  private constructor(private readonly folder: string) {}

  /** Begins to watch, from the first part on; `ended` resolves at EXT-X-ENDLIST. */
  static watch(url: string, sessionId: string): { viewer: LiveViewer; ended: Promise<void> } {
    const viewer = new LiveViewer(`${url}/hls/${sessionId}/`);
    return { viewer, ended: viewer.run() };
  }

  /** Resolves when `count` more parts have come; rejects if the session ends before that. */
  async parts(count: number): Promise<void> {
    const wanted = this.arrivals.length + count;
    while (this.arrivals.length < wanted) {
      if (this.hasEnded || this.hasLeft)
        throw new Error(`the session ended after ${this.arrivals.length} parts`);
      await new Promise<void>((resolve) => this.waiters.add(resolve));
    }
  }

  /** Resolves when `count` more parts have come, or no more come. */
  async partsOrEnd(count: number): Promise<void> {
    await this.parts(count).catch((error: unknown) => {
      if (!this.hasEnded) throw error;
    });
  }

  /** Watches no longer. */
  leave(): void {
    this.hasLeft = true;
    this.wake();
  }

  /** The numbers burnt into all frames that came, in the order they are shown. */
  async numbers(): Promise<number[]> {
    const height = 2 * Math.floor(WIDTH / 32);
    const strips = await this.decode(`crop=${WIDTH}:${height}:0:0`, WIDTH * height);
    return strips.map((strip) => readFrameCounter(strip, WIDTH));
  }

  /** All media that came, as ffmpeg plays it; for a marked clip. */
  async watched(): Promise<Watched> {
    const directory = await mkdtemp(join(memory, 'facecast-viewer-'));
    try {
      const files = this.files().map((bytes, n) => ({ bytes, path: join(directory, `${n}.mp4`) }));
      for (const { path, bytes } of files) await writeFile(path, bytes);
      return await watchInFfmpeg(...files.map(({ path }) => path));
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  /** The luma planes of all frames that came, of one size, in the order they are shown. */
  async pictures({ width, height }: Size = { width: WIDTH, height: HEIGHT }): Promise<Buffer[]> {
    return this.decode('null', width * height);
  }

  private async decode(filter: string, bytes: number): Promise<Buffer[]> {
    const frames: Buffer[] = [];
    for (const file of this.files()) {
      const planes = await toGray(file, filter);
      for (let at = 0; at + bytes <= planes.length; at += bytes)
        frames.push(planes.subarray(at, at + bytes));
    }
    return frames;
  }

  /** The media of each encoder as one file. */
  private files(): Buffer[] {
    return [...this.runs.values()].map(({ init, segments }) =>
      Buffer.concat([init, ...[...segments.values()].flat()]),
    );
  }

  private async run(): Promise<void> {
    for (let directives = ''; !this.hasLeft && !this.hasEnded;) {
      const tries = this.arrivals.length > 0 ? MAX_TRIES_FOR_PLAYLIST : Infinity;
      const answer = await this.ask(`live.m3u8${directives}`, tries);
      if (!answer) {
        if (!this.hasLeft) this.complaints.push('the playlist was gone before its end was seen');
        break;
      }
      const playlist = readPlaylist({ status: 200, body: answer });
      const isTaken = await this.take(playlist);
      const { msn, part } = nextPart(playlist);
      directives = isTaken ? `?_HLS_msn=${msn}&_HLS_part=${part}` : '';
      this.hasEnded = isTaken && playlist.endlist;
    }
    this.hasLeft = true;
    this.wake();
    this.http.close();
  }

  /** Fetches a playlist's new media; resolves to false if a newer playlist is needed for that. */
  private async take(playlist: types.MediaPlaylist): Promise<boolean> {
    this.checkOrder(playlist);
    let map = '';
    for (const segment of playlist.segments) {
      if (segment.map) map = segment.map.uri;
      if (!(await this.takeSegment(map, segment))) return false;
    }
    this.discontinuities = playlist.segments.filter(({ discontinuity }) => discontinuity).length;
    return true;
  }

  private async takeSegment(map: string, segment: types.Segment): Promise<boolean> {
    const { mediaSequenceNumber: msn, uri } = segment;
    if (this.whole.has(msn)) return true;
    const parts = segment.parts.filter(({ hint }) => !hint);
    let known = this.runs.get(map);
    if (!known) {
      const init = await this.ask(map, MAX_TRIES_FOR_PART);
      if (!init) return this.complainOf(map);
      known = { init, segments: new Map() };
      this.runs.set(map, known);
    }
    if (uri && parts.length === 0) {
      const content = await this.ask(uri, MAX_TRIES_FOR_PART);
      if (!content) return this.complainOf(uri);
      known.segments.set(msn, [content]);
      this.came();
    }
    for (const part of parts.filter((one) => !this.seen.has(one.uri))) {
      const content = await this.ask(part.uri, MAX_TRIES_FOR_PART);
      if (!content) return this.complainOf(part.uri);
      known.segments.set(msn, [...(known.segments.get(msn) ?? []), content]);
      this.seen.add(part.uri);
      this.came();
    }
    if (uri) this.whole.add(msn);
    return true;
  }

  /** Complains if a missing file is still listed; a slow viewer may miss files that no longer are. */
  private complainOf(uri: string): false {
    if (this.gone.has(uri)) this.complaints.push(`${uri} is listed and not there`);
    this.gone.add(uri);
    return false;
  }

  /** Complains if the playlist's beginning or end steps back. */
  private checkOrder(playlist: types.MediaPlaylist): void {
    const { msn, part } = nextPart(playlist);
    const head = playlist.mediaSequenceBase ?? 0;
    const before = this.newest;
    if (head < before.head || msn < before.msn || (msn === before.msn && part < before.part))
      this.complaints.push(`the playlist went from ${JSON.stringify(before)} to ${msn}.${part}`);
    this.newest = { msn, part, head };
  }

  private came(): void {
    this.arrivals.push(performance.now());
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiters) resolve();
    this.waiters.clear();
  }

  /** Asks until there is an answer; undefined after `tries` answers of 404. */
  private async ask(name: string, tries: number): Promise<Buffer | undefined> {
    for (let missing = 0; !this.hasLeft && missing < tries;) {
      const answer = await this.http.get(this.folder + name).catch(() => undefined);
      if (answer?.status === 200) return answer.body;
      // A session has no playlist before its first part, and a held request may time out.
      if (answer && ![404, 503].includes(answer.status))
        this.complaints.push(`${name}: ${answer.status}`);
      if (answer?.status === 404) missing++;
      await after(RETRY_MS);
    }
    return undefined;
  }
}

/** The luma planes that ffmpeg decodes from a media file, through a filter. */
export async function toGray(file: Buffer, filter: string): Promise<Buffer> {
  const output = ['-vf', `${filter},format=gray`, '-fps_mode', 'passthrough', '-f', 'rawvideo'];
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-i', 'pipe:0', ...output, 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const planes: Buffer[] = [];
  ffmpeg.stdout.on('data', (bytes: Buffer) => planes.push(bytes));
  ffmpeg.stdin.end(file);
  await once(ffmpeg, 'close');
  return Buffer.concat(planes);
}
