import type { RenderedBatch } from '@facecast/shared/protocol/messages';
import { cadenceOf } from '@facecast/shared/runtime/settings';
import { HEIGHT, WIDTH } from './test-frames.js';

/** The cadence of the defaults: 3 frames a batch, 30 a segment. */
export const CADENCE = cadenceOf({ FPS: 30, PART_SECONDS: 0.1, SEGMENT_SECONDS: 1 });

/** When the first frame of the tests' sessions was captured. */
export const CAPTURED_AT = Date.parse('2026-03-01T12:00:00.000Z');

/** A rendered batch of whole size with no face, unless told otherwise. */
export function renderedBatch(batch: number, changes: Partial<RenderedBatch> = {}): RenderedBatch {
  const firstFrame = batch * CADENCE.framesPerBatch;
  const frameCount = changes.frameCount ?? CADENCE.framesPerBatch;
  const capturedAt = CAPTURED_AT + (firstFrame / CADENCE.fps) * 1000;
  return {
    kind: 'batch',
    sessionId: 'session',
    batch,
    firstFrame,
    frameCount,
    width: WIDTH,
    height: HEIGHT,
    samples: 0,
    capturedAt,
    receivedAt: capturedAt + 110,
    decodedAt: capturedAt + 150,
    markedAt: capturedAt + 170,
    frames: Array.from({ length: frameCount }, () => ({
      searched: true,
      hidden: false,
      faces: [],
    })),
    ...changes,
  };
}
