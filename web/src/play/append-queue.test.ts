import { expect, test } from 'vitest';
import { AppendQueue } from './append-queue.js';

/** A media element and its source, in which each piece is a second of media. */
class FakeMedia {
  currentTime = 0;
  removed: [number, number][] = [];
  appended: string[] = [];
  updating = false;
  isFull = false;
  readyState = 'open';
  private from = 0;
  private to = 0;
  private ended: (() => void) | undefined;

  get buffered() {
    const { from, to } = this;
    return { length: to > from ? 1 : 0, start: () => from, end: () => to };
  }
  addSourceBuffer(): this {
    return this;
  }
  addEventListener(_: string, ended: () => void): void {
    this.ended = ended;
  }
  changeType(type: string): void {
    this.appended.push(type);
  }
  appendBuffer(bytes: ArrayBuffer): void {
    if (this.isFull) throw new Error('QuotaExceededError');
    this.appended.push(new TextDecoder().decode(bytes));
    this.to++;
    this.updating = true;
  }
  remove(from: number, to: number): void {
    this.removed.push([from, to]);
    this.from = to;
    this.updating = true;
  }
  /** What the buffer does is done, and what that sets off, too. */
  settle(): void {
    while (this.updating) {
      this.updating = false;
      this.ended?.();
    }
  }
}

function queueOf(media: FakeMedia) {
  let failures = 0;
  const queue = new AppendQueue(
    media as unknown as HTMLVideoElement,
    media as unknown as MediaSource,
    () => failures++,
  );
  queue.setType('video/mp4');
  return { queue, failures: () => failures };
}
const piece = (text: string) => new TextEncoder().encode(text).buffer;

test('pieces are appended one after another, and each is told with where it begins', () => {
  const media = new FakeMedia();
  const { queue } = queueOf(media);
  const begins: (number | undefined)[] = [];
  for (const text of ['a', 'b', 'c']) queue.append(piece(text), (from) => begins.push(from));
  expect(media.appended).toEqual(['a']);
  media.settle();
  expect(media.appended).toEqual(['a', 'b', 'c']);
  expect(begins).toEqual([undefined, 1, 2]);
});

test('hours of playing, or of a pause, keep no more than seconds in memory', () => {
  for (const isPaused of [false, true]) {
    const media = new FakeMedia();
    const { queue } = queueOf(media);
    for (let second = 0; second < 3_600; second++) {
      if (!isPaused) media.currentTime = second;
      queue.append(piece('x'));
      media.settle();
      expect(media.buffered.end() - media.buffered.start()).toBeLessThan(35);
    }
    expect(media.removed.length).toBeGreaterThan(100);
  }
});

test('a buffer that takes nothing more is told once', () => {
  const media = new FakeMedia();
  const { queue, failures } = queueOf(media);
  media.isFull = true;
  queue.append(piece('a'));
  queue.append(piece('b'));
  expect(failures()).toBe(1);
});
