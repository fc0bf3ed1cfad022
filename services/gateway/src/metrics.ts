import { createMetrics, stageLatency } from '@facecast/shared/runtime/metrics';
import type { RequestHandler } from 'express';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Histogram buckets in seconds: from an answer at once to a request held for three target durations. */
const HELD_BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 4];

/** What the gateway counts. */
export interface GatewayMetrics {
  registry: Registry;
  /** Time from a chunk's arrival until it is safely queued. */
  stage: Histogram;
  ingestBytes: Counter;
  ingestChunks: Counter;
  /** Time from request to answer, holding included; `kind` is `playlist`, `part`, `segment` or `init`. */
  playbackSeconds: Histogram<'kind'>;
  requests: Counter<'route' | 'status'>;
}

export function createGatewayMetrics(): GatewayMetrics {
  const registry = createMetrics('gateway');
  const registers = [registry];
  return {
    registry,
    stage: stageLatency(registry),
    ingestBytes: new Counter({
      name: 'facecast_ingest_bytes_total',
      help: 'Bytes of media that publishers sent',
      registers,
    }),
    ingestChunks: new Counter({
      name: 'facecast_ingest_chunks_total',
      help: 'Binary messages that publishers sent',
      registers,
    }),
    playbackSeconds: new Histogram({
      name: 'facecast_playback_seconds',
      help: 'Time from a playback request to its answer, the time it was held included',
      labelNames: ['kind'],
      buckets: HELD_BUCKETS,
      registers,
    }),
    requests: new Counter({
      name: 'facecast_http_requests_total',
      help: 'HTTP requests answered',
      labelNames: ['route', 'status'],
      registers,
    }),
  };
}

/** Adds a gauge that is read when the metrics are requested. */
export function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/**
 * Counts Express's answers under their routes' patterns, so that the number of labels is bounded. Routers
 * are mounted at the root for this: a router's own place is forgotten when an error leaves it.
 */
export function countRequests(requests: Counter<'route' | 'status'>): RequestHandler {
  return (request, response, next) => {
    response.once('finish', () => {
      const pattern = (request.route as { path?: string } | undefined)?.path;
      requests.inc({ route: pattern ?? 'other', status: response.statusCode });
    });
    next();
  };
}
