import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { JobQueue } from '@facecast/shared/redis/queues';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import type { IngestLimits } from '../ingest/limits.js';
import { testGateway, type TestGateway } from './test-gateway.js';
import { TestPipeline } from './test-pipeline.js';

/** Gives a test file an empty Redis before each test, and gateways that are closed after each. */
export function useGateways() {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(() => redis.flushall());
  afterEach(async () => {
    for (const resource of open.splice(0).reverse()) await resource.close();
  });
  afterAll(() => redis.quit());

  const registry = new SessionRegistry(redis);
  return {
    redis,
    registry,
    /** What is to be closed after the test, the last first. */
    open,

    gatewayWith: async (
      settings: Record<string, string> = {},
      limits: Partial<IngestLimits> = {},
    ): Promise<TestGateway> => {
      const gateway = await testGateway(settings['REDIS_URL'] ?? redisUrl, settings, limits);
      open.push(gateway);
      return gateway;
    },

    /** A session that somebody publishes somewhere. */
    runningSession: (effect: Effect = 'box') =>
      registry.create({ mimeType: 'video/webm', effect }, 100),

    /** The stages after the gateway, for one session. */
    pipelineOf: ({ sessionId }: { sessionId: string }): TestPipeline => {
      const pipeline = new TestPipeline(redis, sessionId);
      open.push(pipeline);
      return pipeline;
    },

    /** How many of a session's chunks are queued. */
    queuedChunks: async (sessionId: string): Promise<number> => {
      const queue = new JobQueue<'chunks'>(redis, { kind: 'chunks', sessionId });
      const waiting = await queue.waiting();
      await queue.close();
      return waiting;
    },
  };
}

/** A `start` that every server takes. */
export const START = { type: 'start', mimeType: 'video/webm' };

export const ADMIN_TOKEN = 'what-only-the-operator-knows';

/** Texts of the first chunks of a session. */
export const numbered = (count: number) => Array.from({ length: count }, (_, n) => `chunk ${n}`);

/** Their numbers. */
export const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

export const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** The status and the error code of a refused request; it is JSON and has no trace of the inside. */
export async function httpRefusal(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  const text = await response.text();
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(text).not.toMatch(/node_modules|\.[jt]s\b|Error:| at /);
  return [response.status, (JSON.parse(text) as { error: { code: string } }).error.code];
}

/** The value of one of a gateway's metrics. */
export async function metric(url: string, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = new RegExp(`^${name}{.*} (.*)$`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
