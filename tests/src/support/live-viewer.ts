import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import type { types } from 'hls-parser';
import { HEIGHT, WIDTH } from './clips.js';
import { HttpClient, nextPart, readPlaylist } from './player.js';

const RETRY_MS = 50;

/** What an encoder wrote: its initialization section, and parts one after another. */
interface Run {
  init: Buffer;
  parts: Buffer[];
}

/**
 * Watches a live session as a low-latency player does and keeps every part of it. A gateway that does
 * not answer is asked again, as players do.
 */
export class LiveViewer {
  /** When each part came, in ms since the process began. */
  readonly arrivals: number[] = [];
  /** Answers that no player should get from a gateway that is there. */
  readonly complaints: string[] = [];
  discontinuities = 0;
  private readonly http = new HttpClient();
  private readonly runs = new Map<string, Run>();
  private readonly seen = new Set<string>();
  private readonly waiting = new Set<() => void>();
  private hasEnded = false;
  private hasLeft = false;
  private newest = { msn: 0, part: 0, head: 0 };

  private constructor(private readonly folder: string) {}

  /** Begins to watch, from the first part on; `ended` resolves at EXT-X-ENDLIST. */
  static watch(url: string, sessionId: string): { viewer: LiveViewer; ended: Promise<void> } {
    const viewer = new LiveViewer(`${url}/hls/${sessionId}/`);
    return { viewer, ended: viewer.run() };
  }

  /** Resolves when `count` more parts have come; rejects where the session ends before that. */
  async parts(count: number): Promise<void> {
    const wanted = this.arrivals.length + count;
    while (this.arrivals.length < wanted) {
      if (this.hasEnded || this.hasLeft)
        throw new Error(`the session ended after ${this.arrivals.length} parts`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
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

  /** The luma planes of all frames that came, in the order they are shown. */
  async pictures(): Promise<Buffer[]> {
    return this.decode('null', WIDTH * HEIGHT);
  }

  private async decode(filter: string, bytes: number): Promise<Buffer[]> {
    const frames: Buffer[] = [];
    for (const { init, parts } of this.runs.values()) {
      const planes = await toGray(Buffer.concat([init, ...parts]), filter);
      for (let at = 0; at + bytes <= planes.length; at += bytes)
        frames.push(planes.subarray(at, at + bytes));
    }
    return frames;
  }

  private async run(): Promise<void> {
    for (let directives = ''; !this.hasLeft && !this.hasEnded;) {
      const answer = await this.ask(`live.m3u8${directives}`);
      if (!answer) break;
      const playlist = readPlaylist({ status: 200, body: answer });
      await this.take(playlist);
      const { msn, part } = nextPart(playlist);
      directives = `?_HLS_msn=${msn}&_HLS_part=${part}`;
      this.hasEnded = playlist.endlist;
    }
    this.wake();
    this.http.close();
  }

  private async take(playlist: types.MediaPlaylist): Promise<void> {
    const before = this.newest;
    this.checkOrder(playlist);
    let map = '';
    for (const segment of playlist.segments) {
      if (segment.map) map = segment.map.uri;
      for (const { uri, hint } of segment.parts) {
        if (hint || this.seen.has(uri)) continue;
        await this.keep(map, uri);
      }
      if (playlist.endlist) await this.keepRest(map, segment, before);
    }
    this.discontinuities = playlist.segments.filter(({ discontinuity }) => discontinuity).length;
  }

  /** Neither the playlist's beginning nor its end may ever step back. */
  private checkOrder(playlist: types.MediaPlaylist): void {
    const { msn, part } = nextPart(playlist);
    const head = playlist.mediaSequenceBase ?? 0;
    const before = this.newest;
    if (head < before.head || msn < before.msn || (msn === before.msn && part < before.part))
      this.complaints.push(`the playlist went from ${JSON.stringify(before)} to ${msn}.${part}`);
    this.newest = { msn, part, head };
  }

  private async keep(map: string, uri: string): Promise<void> {
    const run = this.runs.get(map) ?? { init: await this.fetch(map), parts: [] };
    this.runs.set(map, run);
    run.parts.push(await this.fetch(uri));
    this.seen.add(uri);
    this.arrivals.push(performance.now());
    this.wake();
  }

  /** Of what has ended, only whole segments are listed: the parts of the newest that came are in it. */
  private async keepRest(
    map: string,
    { mediaSequenceNumber, uri }: types.Segment,
    { msn, part }: { msn: number; part: number },
  ): Promise<void> {
    if (mediaSequenceNumber < msn) return;
    const run = this.runs.get(map) ?? { init: await this.fetch(map), parts: [] };
    this.runs.set(map, run);
    const came = mediaSequenceNumber === msn ? part : 0;
    run.parts.splice(run.parts.length - came, came, await this.fetch(uri));
    this.arrivals.push(performance.now());
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  private async fetch(name: string): Promise<Buffer> {
    return (await this.ask(name)) ?? Buffer.alloc(0);
  }

  /** Asks until it is answered; undefined where that was given up. */
  private async ask(name: string): Promise<Buffer | undefined> {
    while (!this.hasLeft) {
      const answer = await this.http.get(this.folder + name).catch(() => undefined);
      if (answer?.status === 200) return answer.body;
      // Before its first part, a session has no playlist; and held requests may run out.
      if (answer && ![404, 503].includes(answer.status))
        this.complaints.push(`${name}: ${answer.status}`);
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
