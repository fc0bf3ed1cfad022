import { volumeRefusals } from '@facecast/shared/runtime/retry-on-disk-full';
import { stageLatency } from '@facecast/shared/runtime/metrics';
import { Counter, Gauge, type Registry } from 'prom-client';

/** The extractor's metrics. */
export type ExtractorMetrics = ReturnType<typeof createExtractorMetrics>;

export function createExtractorMetrics(registry: Registry) {
  const registers = [registry];
  return {
    volumeRefusals: volumeRefusals(registry),
    stage: stageLatency(registry),
    sessions: new Gauge({
      name: 'facecast_extractor_sessions',
      help: 'Sessions held',
      registers,
    }),
    frames: new Counter({
      name: 'facecast_extractor_frames_total',
      help: 'Frames dispatched to the detectors',
      registers,
    }),
    inFlight: new Gauge({
      name: 'facecast_extractor_batches_in_flight',
      help: 'Batches of the owned sessions that are dispatched and not listed yet',
      registers,
    }),
    failures: new Counter({
      name: 'facecast_extractor_failures_total',
      help: 'Sessions whose input could not be decoded (on)',
      labelNames: ['reason'] as const,
      registers,
    }),
    replacements: new Counter({
      name: 'facecast_extractor_replacements_total',
      help: 'Decoders that resumed an input stream: after one that died, stalled or could not follow the picture, or after another replica',
      labelNames: ['reason'] as const,
      registers,
    }),
  };
}
