import { mutated } from '@facecast/shared/testing/mutate';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Container } from './container.js';
import { countedClip, cut, H264_MP4, VP8_WEBM } from '../testing/counted-clips.js';
import { createScanner } from './create-scanner.js';
import { MAX_HEADER_BYTES } from './scanner.js';

const MUTATIONS = 10_000;
/** A movie fragment's head that has not come to its end, a header, and what may stand around them. */
const MAX_HELD_BYTES = 1024 * 1024 + 2 * MAX_HEADER_BYTES + 64 * 1024;
const PIECE_BYTES = 16 * 1024;

const clips: Partial<Record<Container, Buffer>> = {};
beforeAll(async () => {
  const tiny = { width: 64, height: 48 };
  clips.matroska = await countedClip(12, [...VP8_WEBM, '-g', '4'], tiny);
  clips.mov = await countedClip(12, [...H264_MP4, '-g', '4'], tiny);
});

/** Bytes in all buffers that an object's fields lead to. */
function heldBytes(value: unknown): number {
  if (Buffer.isBuffer(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, field) => sum + heldBytes(field), 0);
}

describe.each<Container>(['matroska', 'mov'])('a broken recording: %s', (container) => {
  test(`is scanned to its end without an error: ${MUTATIONS} of them`, () => {
    for (let seed = 0; seed < MUTATIONS; seed++) {
      const scanner = createScanner(container);
      const bytes = mutated(clips[container]!, seed);
      try {
        for (const piece of cut(bytes, 1, 700, 4000)) scanner.push(piece);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  test('never makes it hold more than a header and the head of a fragment', () => {
    for (let seed = 0; seed < 40; seed++) {
      const scanner = createScanner(container);
      const bytes = mutated(clips[container]!, seed);
      for (let sent = 0; sent < 3 * MAX_HELD_BYTES; sent += PIECE_BYTES) {
        scanner.push(sent === 0 ? bytes : Buffer.alloc(PIECE_BYTES, seed));
        expect(heldBytes(scanner)).toBeLessThan(MAX_HELD_BYTES);
      }
    }
  });
});
