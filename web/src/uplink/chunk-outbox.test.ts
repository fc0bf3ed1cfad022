import { SAFE_MESSAGE_BYTES } from '@facecast/shared/protocol/ingest-protocol';
import { describe, expect, test } from 'vitest';
import { ChunkOutbox, type Chunk } from './chunk-outbox.js';

describe('chunks on their way', () => {
  test('are sent in order, each once, and no more of them than may be unacknowledged', () => {
    const outbox = filled(5, { inFlightBytes: 15 });
    expect(sent(outbox)).toEqual([0, 1]);
    expect(sent(outbox)).toEqual([]);
    outbox.acknowledge(1);
    expect(sent(outbox)).toEqual([2]);
    outbox.acknowledge(3);
    expect(sent(outbox)).toEqual([3, 4]);
    expect(outbox.isAllSent).toBe(true);
    expect(outbox.acknowledgedBytes).toBe(30);
  });

  test('are in flight in greater number while answers come at once', () => {
    const outbox = filled(6, { inFlightBytes: 10, promptBytes: 30, promptMs: 300 });
    expect(sent(outbox, 1_000)).toEqual([0, 1, 2]);
    outbox.acknowledge(1);
    expect(sent(outbox, 1_200)).toEqual([3]);
    outbox.acknowledge(2);
    expect(sent(outbox, 1_400)).toEqual([]);
    outbox.acknowledge(4);
    expect(sent(outbox, 1_400)).toEqual([4, 5]);
  });

  test('are sent again from where the server wants to go on', () => {
    const outbox = filled(4);
    sent(outbox);
    outbox.acknowledge(1);
    expect(outbox.resumeAt(2)).toBe(true);
    expect(sent(outbox)).toEqual([2, 3]);
    expect(outbox.resumeAt(4)).toBe(true);
    expect(sent(outbox)).toEqual([]);
  });

  test('that are empty have numbers, too', () => {
    const outbox = filled(0);
    for (const size of [1, 0, 1]) outbox.add({ bytes: new ArrayBuffer(size) }, 0);
    expect([...outbox.toSend(0)]).toHaveLength(3);
    outbox.acknowledge(2);
    expect(outbox.resumeAt(2)).toBe(true);
    expect([...outbox.toSend(0)]).toHaveLength(1);
  });

  test('are gone once acknowledged, and never made up', () => {
    const outbox = filled(4);
    outbox.acknowledge(2);
    expect(outbox.resumeAt(1)).toBe(false);
    expect(outbox.resumeAt(5)).toBe(false);
  });

  test('take no more bytes than their limit, and room again after an acknowledgement', () => {
    const outbox = filled(3, { keptBytes: 30 });
    expect(outbox.add({ bytes: new ArrayBuffer(1) }, 0)).toBe(false);
    expect(outbox.bytes).toBe(30);
    outbox.acknowledge(1);
    expect(outbox.bytes).toBe(20);
    expect(outbox.add({ bytes: new ArrayBuffer(10) }, 0)).toBe(true);
  });

  test('are not disturbed by an acknowledgement that comes late or twice', () => {
    const outbox = filled(3);
    outbox.acknowledge(2);
    outbox.acknowledge(1);
    expect(sent(outbox)).toEqual([2]);
  });

  test('tell how long the oldest has waited', () => {
    const outbox = filled(3);
    expect(outbox.waitedMs(1_000)).toBe(1_000);
    outbox.acknowledge(1);
    expect(outbox.waitedMs(1_000)).toBe(900);
    outbox.acknowledge(3);
    expect(outbox.waitedMs(1_000)).toBe(0);
  });

  test('that were not sent can be dropped, and the numbers go on with those after them', () => {
    const outbox = filled(4, { inFlightBytes: 10 });
    expect(sent(outbox)).toEqual([0]);
    outbox.dropUnsent();
    expect(outbox.bytes).toBe(10);
    outbox.add(chunk(9), 400);
    outbox.acknowledge(1);
    expect(sent(outbox)).toEqual([9]);
    expect(outbox.resumeAt(1)).toBe(true);
    expect(sent(outbox)).toEqual([9]);
  });
});

describe('what a recorder hands out at once after the machine slept', () => {
  const slice = Uint8Array.from({ length: 4_500_000 }, (_, n) => n >> 10);
  const plenty = {
    ...{ keptBytes: 5_000_000, inFlightBytes: 5_000_000 },
    ...{ promptBytes: 5_000_000, promptMs: 300 },
  };

  test('is sent in messages that every server takes, as one input stream', () => {
    const outbox = new ChunkOutbox(plenty);
    expect(outbox.add({ bytes: slice.buffer, mimeType: 'video/webm' }, 0)).toBe(true);
    const messages = [...outbox.toSend(0)];
    expect(messages.every(({ bytes }) => bytes.byteLength <= SAFE_MESSAGE_BYTES)).toBe(true);
    expect(Buffer.concat(messages.map(({ bytes }) => Buffer.from(bytes))).equals(slice)).toBe(true);
    expect(messages.map(({ mimeType }) => mimeType)).toEqual([
      'video/webm',
      ...messages.slice(1).map(() => undefined),
    ]);
  });

  test('is resumed in its middle', () => {
    const outbox = new ChunkOutbox(plenty);
    outbox.add({ bytes: slice.buffer }, 0);
    const messages = [...outbox.toSend(0)];
    outbox.acknowledge(3);
    expect(outbox.bytes).toBe(slice.length - 3 * SAFE_MESSAGE_BYTES);
    expect(outbox.resumeAt(5)).toBe(true);
    expect([...outbox.toSend(0)].map(({ bytes }) => bytes)).toEqual(
      messages.slice(5).map(({ bytes }) => bytes),
    );
  });

  test('is not kept in part where there is no room for all of it', () => {
    const outbox = new ChunkOutbox({ ...plenty, keptBytes: 4_000_000 });
    expect(outbox.add({ bytes: slice.buffer }, 0)).toBe(false);
    expect(outbox.bytes).toBe(0);
  });
});

/** An outbox with `count` chunks of 10 bytes, each filled with its number, one every 100 ms. */
function filled(count: number, limits = {}): ChunkOutbox {
  const bounds = { keptBytes: 1_000, inFlightBytes: 1_000, promptBytes: 1_000, promptMs: -1 };
  const outbox = new ChunkOutbox({ ...bounds, ...limits });
  for (let number = 0; number < count; number++) outbox.add(chunk(number), 100 * number);
  return outbox;
}

function chunk(number: number): Chunk {
  return { bytes: new Uint8Array(10).fill(number).buffer };
}

function sent(outbox: ChunkOutbox, now = 0): (number | undefined)[] {
  return [...outbox.toSend(now)].map(({ bytes }) => new Uint8Array(bytes)[0]);
}
