import { stageLatency } from '@facecast/shared/runtime/metrics';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Histogram buckets of one search, in seconds: from one known face to a whole large picture. */
const SEARCH_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25];

/** What the detector counts. */
export type DetectorMetrics = ReturnType<typeof createDetectorMetrics>;

export function createDetectorMetrics(registry: Registry) {
  const registers = [registry];
  return {
    stage: stageLatency(registry),
    batches: new Counter({
      name: 'facecast_detector_batches_total',
      help: 'Batches taken; gone: its session had ended; done: asked for again while it was rendered here',
      labelNames: ['outcome'] as const,
      registers,
    }),
    frames: new Counter({
      name: 'facecast_detector_frames_total',
      help: 'Frames rendered, with a search of their own or without',
      labelNames: ['searched'] as const,
      registers,
    }),
    faces: new Counter({
      name: 'facecast_detector_faces_total',
      help: 'Faces found, each counted in each frame',
      registers,
    }),
    search: new Histogram({
      name: 'facecast_detector_search_seconds',
      help: 'Time to search one frame of a run',
      buckets: SEARCH_BUCKETS,
      registers,
    }),
    failures: new Counter({
      name: 'facecast_detector_failures_total',
      help: 'Searches of a frame and batches as a whole that failed',
      labelNames: ['what'] as const,
      registers,
    }),
  };
}
