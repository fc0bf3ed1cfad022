import { GenericContainer } from 'testcontainers';
import type { TestProject } from 'vitest/node';
import { REDIS_SETTINGS, startRedisServer, type RedisServer } from '../support/redis-server.js';

/**
 * Starts a real Redis for each worker of the test run: a container, if there is an engine that has the
 * image or can fetch it; else the system's server.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const workers = Array.from({ length: project.config.maxWorkers });
  const startAll = (start: () => Promise<Pick<RedisServer, 'url' | 'stop'>>) =>
    Promise.all(workers.map(start));
  const hasEngine = process.env['FACECAST_DOCKER'] === '1';
  const containers = hasEngine && (await startAll(startContainer).catch(tell));
  const servers = containers || (await startAll(startRedisServer));
  project.provide(
    'redisUrls',
    servers.map(({ url }) => url),
  );
  return async () => void (await Promise.all(servers.map(({ stop }) => stop())));
}

/** The image that docker-compose.yml uses. */
const REDIS_IMAGE = 'redis:8.0';

function tell(error: Error): undefined {
  console.log(`No container of ${REDIS_IMAGE} (${error.message.trim()}): a redis-server instead.`);
}

async function startContainer(): Promise<Pick<RedisServer, 'url' | 'stop'>> {
  const container = await new GenericContainer(REDIS_IMAGE)
    .withCommand(['redis-server', ...REDIS_SETTINGS])
    .withExposedPorts(6379)
    .start();
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    stop: async () => void (await container.stop()),
  };
}
