import { volumeRefusals } from '@facecast/shared/runtime/retry-on-disk-full';
import { createMetrics, stageLatency } from '@facecast/shared/runtime/metrics';
import { Counter, Gauge, type Histogram, type Registry } from 'prom-client';

/** The segmenter's own metrics. */
export interface SegmenterMetrics {
  registry: Registry;
  /** Time from a batch's rendering to its part in the playlist, in seconds. */
  latency: Histogram;
  parts: Counter;
  partBytes: Counter;
  volumeRefusals: Counter;
  encoderReplacements: Counter;
  /** Late batches for which a second detector was asked. */
  hedgedBatches: Counter;
  /** Batches that were shown without a search. */
  unsearchedBatches: Counter;
  /** Requests to make a lost batch again. */
  batchesLost: Counter;
  recordedBytes: Counter;
  /** Recordings that stopped before their sessions ended. */
  recordingsStopped: Counter;
  /** Sets the function that counts this replica's sessions. */
  countSessions: (count: () => number) => void;
}

export function createSegmenterMetrics(): SegmenterMetrics {
  const registry = createMetrics('segmenter');
  const registers = [registry];
  let sessions = () => 0;
  new Gauge({
    name: 'facecast_segmenter_sessions',
    help: 'Sessions that this replica owns',
    registers,
    collect() {
      this.set(sessions());
    },
  });
  return {
    registry,
    volumeRefusals: volumeRefusals(registry),
    latency: stageLatency(registry),
    parts: new Counter({
      name: 'facecast_segmenter_parts_total',
      help: 'Parts listed in playlists',
      registers,
    }),
    partBytes: new Counter({
      name: 'facecast_segmenter_part_bytes_total',
      help: 'Bytes of the parts listed in playlists',
      registers,
    }),
    encoderReplacements: new Counter({
      name: 'facecast_segmenter_encoder_replacements_total',
      help: 'Encoders that died or hung and were replaced',
      registers,
    }),
    hedgedBatches: new Counter({
      name: 'facecast_segmenter_batches_asked_again_total',
      help: 'Batches that a detector took and did not bring in time: another was asked',
      registers,
    }),
    unsearchedBatches: new Counter({
      name: 'facecast_segmenter_batches_unsearched_total',
      help: 'Batches that no detector brought in time: shown without a search, redacted if faces are to be hidden',
      registers,
    }),
    batchesLost: new Counter({
      name: 'facecast_segmenter_batches_lost_total',
      help: 'Requests to the frame-extractor to make a lost batch again',
      registers,
    }),
    recordedBytes: new Counter({
      name: 'facecast_segmenter_recorded_bytes_total',
      help: 'Bytes of the segments that were added to recordings',
      registers,
    }),
    recordingsStopped: new Counter({
      name: 'facecast_segmenter_recordings_stopped_total',
      help: 'Recordings that end before their sessions: the disk was almost full, too slow or broken',
      registers,
    }),
    countSessions: (count) => {
      sessions = count;
    },
  };
}
