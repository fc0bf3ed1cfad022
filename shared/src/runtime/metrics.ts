import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Buckets of the stages' latencies, in seconds: from a Redis hop to a session that is hopeless. */
const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5];

/**
 * The event loop's lag is measured by a timer, 100 times a second unless told: with little to do, that
 * would be a twentieth of what a session costs.
 */
const LAG_SAMPLE_MS = 1_000;

/** A registry with the process's own figures, every sample labelled with the service's name. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLE_MS });
  return registry;
}

/** The one latency figure that every stage of the pipeline has under the same name. */
export function stageLatency(registry: Registry): Histogram {
  return new Histogram({
    name: 'facecast_stage_seconds',
    help: 'Time a batch spends in this stage, its queue included',
    buckets: LATENCY_BUCKETS,
    registers: [registry],
  });
}
