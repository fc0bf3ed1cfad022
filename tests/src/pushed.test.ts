import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { HEIGHT, WIDTH } from './support/clips.js';
import { stackAndClip } from './support/fixtures.js';
import { LivePublisher } from './support/live-publisher.js';
import { greenPlane, playFrames } from './support/played-frames.js';
import { processesOf, signal } from './support/processes.js';

const FRAMES = 300;
const live = stackAndClip(FRAMES);

/** What a viewer of `/live/<session>` got. */
class PushedStream {
  /** Types of all messages but dates, in order. */
  readonly said: string[] = [];
  readonly dates: { mediaTime: number; date: number }[] = [];
  mimeType = '';
  parts = 0;
  /** Of each initialization section: itself, and the parts that came with it. */
  private readonly runs: Buffer[][] = [];
  private readonly socket: WebSocket;
  private readonly closed: Promise<unknown[]>;

  constructor(url: string, sessionId: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/live/${sessionId}`);
    this.closed = once(this.socket, 'close');
    this.socket.on('message', (data: Buffer, isBinary) =>
      isBinary ? this.keep(data) : this.hear(JSON.parse(data.toString()) as Said),
    );
  }

  /** Resolves when so many parts have come. */
  async came(parts: number): Promise<void> {
    while (this.parts < parts) await once(this.socket, 'message');
  }

  async end(): Promise<void> {
    expect((await this.closed)[0]).toBe(1000);
  }

  /** The numbers burnt into all frames that came. */
  async numbers(directory: string): Promise<number[]> {
    const numbers: number[] = [];
    for (const [n, run] of this.runs.entries()) {
      const path = join(directory, `pushed-${n}.mp4`);
      await writeFile(path, Buffer.concat(run));
      for await (const frame of playFrames(path, { width: WIDTH, height: HEIGHT }))
        numbers.push(readFrameCounter(greenPlane(frame), WIDTH));
    }
    return numbers;
  }

  private hear({ type, ...said }: Said): void {
    if (type === 'date') return void this.dates.push(said);
    this.said.push(type);
    if (type !== 'init') return;
    this.mimeType = said.mimeType;
    this.runs.push([]);
  }

  private keep(bytes: Buffer): void {
    const run = this.runs.at(-1)!;
    if (run.length > 0) this.parts++;
    run.push(bytes);
  }
}
type Said = { type: string; mimeType: string; mediaTime: number; date: number };

test('a viewer who is pushed to gets every frame, once and in order, also when the segmenter is killed', async () => {
  const publisher = await LivePublisher.start(live.stack.ingestUrl, await readFile(live.clip));
  const stream = new PushedStream(live.stack.url, publisher.sessionId);
  await stream.came(30);
  signal(await processesOf(live.stack, 'services/segmenter'), 'SIGKILL');
  expect(await publisher.finish()).toBe(FRAMES);
  await stream.end();
  expect(stream.said).toEqual(['init', 'init', 'ended']);
  expect(stream.mimeType).toMatch(/^video\/mp4; codecs="avc1\.[0-9a-f]{6},mp4a\.40\.2"$/);
  expect(await stream.numbers(live.media)).toEqual(Array.from({ length: FRAMES }, (_, n) => n));
  // A date a segment, each a second after the one before.
  const apart = stream.dates.map(({ mediaTime, date }) => date / 1000 - mediaTime);
  expect(stream.dates.length).toBeGreaterThanOrEqual(FRAMES / 30 - 1);
  expect(Math.max(...apart) - Math.min(...apart)).toBeLessThan(1);
});
