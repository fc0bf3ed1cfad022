import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Histogram buckets of stage latencies, in seconds. */
const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5];

/**
 * How often event loop lag is sampled, in milliseconds. prom-client's default of 10 ms would cost a
 * twentieth of what a session costs.
 */
const LAG_SAMPLE_MS = 1_000;

/** A registry with the process's default metrics, each labelled with the service's name. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLE_MS });
  return registry;
}

/** The latency histogram that every stage has under the same name, in seconds. */
export function stageLatency(registry: Registry): Histogram {
  return new Histogram({
    name: 'facecast_stage_seconds',
    help: 'Time a batch spends in this stage, its queue included',
    buckets: LATENCY_BUCKETS,
    registers: [registry],
  });
}
