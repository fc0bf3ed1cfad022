import { describe, expect, test } from 'vitest';
import { UnacknowledgedChunks, type Chunk } from './unacknowledged-chunks.js';

describe('chunks that the server has not acknowledged', () => {
  test('can be sent again from any number on that is still kept', () => {
    const chunks = kept(4, 1_000);
    chunks.acknowledge(2);
    expect(chunks.from(2)?.map(first)).toEqual([2, 3]);
    expect(chunks.from(3)?.map(first)).toEqual([3]);
    expect(chunks.from(4)).toEqual([]);
  });

  test('are gone once acknowledged, and never made up', () => {
    const chunks = kept(4, 1_000);
    chunks.acknowledge(2);
    expect(chunks.from(1)).toBeUndefined();
    expect(chunks.from(5)).toBeUndefined();
  });

  test('take no more bytes than their limit, and room again after an acknowledgement', () => {
    const chunks = kept(3, 30);
    expect(chunks.add({ bytes: new ArrayBuffer(1) })).toBe(false);
    expect(chunks.bytes).toBe(30);
    chunks.acknowledge(1);
    expect(chunks.bytes).toBe(20);
    expect(chunks.add({ bytes: new ArrayBuffer(10) })).toBe(true);
  });

  test('are not disturbed by an acknowledgement that comes late or twice', () => {
    const chunks = kept(3, 1_000);
    chunks.acknowledge(2);
    chunks.acknowledge(1);
    expect(chunks.from(2)?.map(first)).toEqual([2]);
  });
});

/** `count` chunks of 10 bytes, each filled with its number. */
function kept(count: number, limitBytes: number): UnacknowledgedChunks {
  const chunks = new UnacknowledgedChunks(limitBytes);
  for (let number = 0; number < count; number++) {
    chunks.add({ bytes: new Uint8Array(10).fill(number).buffer });
  }
  return chunks;
}

function first({ bytes }: Chunk): number | undefined {
  return new Uint8Array(bytes)[0];
}
