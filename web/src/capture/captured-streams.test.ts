import { describe, expect, test } from 'vitest';
import { CapturedStreams } from './captured-streams.js';
import type { FileStreamEvents } from './files/file-stream.js';
import type { Source } from './source.js';

/** A source that is a file, which this test sends by hand. */
class TestSource {
  isOpen = true;
  /** Gives the next bytes of the stream that was begun last; undefined while none is. */
  give: (() => void) | undefined;
  readonly source: Source;

  constructor(mimeType = 'video/webm') {
    const stream = (_from: number, events: FileStreamEvents) => {
      this.give = () => events.onBytes(new ArrayBuffer(1));
      return { stop: () => Promise.resolve(void (this.give = undefined)) };
    };
    this.source = {
      file: { mimeType, stream, close: () => {} } as unknown as Source['file'],
      position: () => 0,
      capture: () => undefined,
      canGoOn: () => true,
      begin: () => Promise.resolve(),
      close: () => void (this.isOpen = false),
    };
  }
}

function streamsOf({ source }: TestSource) {
  const told: (string | undefined)[] = [];
  const streams = new CapturedStreams(source, {
    onBytes: (_, mimeType) => told.push(mimeType),
    onFailure: () => expect.unreachable(),
    onRanOut: () => expect.unreachable(),
  });
  return { streams, told };
}

describe('the source', () => {
  test('is closed when another takes its place, before the first stream and later', async () => {
    const [first, second, third] = [new TestSource(), new TestSource(), new TestSource()];
    const { streams } = streamsOf(first);
    await streams.changeSource(second.source);
    expect([first.isOpen, second.isOpen]).toEqual([false, true]);
    streams.begin('video/webm');
    await streams.changeSource(third.source);
    expect([second.isOpen, third.isOpen]).toEqual([false, true]);
    streams.close();
    expect(third.isOpen).toBe(false);
  });

  test('that would take its place after the end is closed, too', async () => {
    const [first, second] = [new TestSource(), new TestSource()];
    const { streams } = streamsOf(first);
    streams.begin('video/webm');
    const change = streams.changeSource(second.source);
    streams.close();
    await change;
    expect([first.isOpen, second.isOpen]).toEqual([false, false]);
  });

  test('stays open between two sessions, and is streamed again', async () => {
    const only = new TestSource();
    const { streams, told } = streamsOf(only);
    streams.begin('video/webm');
    await streams.stop();
    expect([only.isOpen, only.give, streams.isStreaming]).toEqual([true, undefined, false]);
    streams.begin('video/webm');
    only.give?.();
    expect(told).toEqual([undefined]);
  });
});

describe('the type of an input stream', () => {
  test('is told with its first bytes, unless the server expects it', async () => {
    const [first, second] = [new TestSource(), new TestSource('video/mp4')];
    const { streams, told } = streamsOf(first);
    streams.begin('video/webm');
    first.give?.();
    await streams.changeSource(second.source);
    second.give?.();
    second.give?.();
    expect(told).toEqual([undefined, 'video/mp4', undefined]);
  });

  test('is told if another page sent what came before', () => {
    const only = new TestSource();
    const { streams, told } = streamsOf(only);
    streams.begin(undefined);
    only.give?.();
    expect(told).toEqual(['video/webm']);
  });

  test('is told if the source was changed before the first stream', async () => {
    const [first, second] = [new TestSource(), new TestSource('video/mp4')];
    const { streams, told } = streamsOf(first);
    await streams.changeSource(second.source);
    streams.begin('video/webm');
    second.give?.();
    expect(told).toEqual(['video/mp4']);
  });
});
