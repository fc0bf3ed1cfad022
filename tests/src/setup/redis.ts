import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { GenericContainer } from 'testcontainers';
import type { TestProject } from 'vitest/node';

/** Gives the test run a real Redis: a container where there is an engine, else the system's server. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } =
    process.env['FACECAST_DOCKER'] === '1' ? await startContainer() : await startServer();
  project.provide('redisUrl', url);
  return stop;
}

/** The image that docker-compose.yml uses. */
const REDIS_IMAGE = 'redis:8.0';
const SETTINGS = ['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];

async function startContainer() {
  const container = await new GenericContainer(REDIS_IMAGE)
    .withCommand(['redis-server', ...SETTINGS])
    .withExposedPorts(6379)
    .start();
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    stop: async () => void (await container.stop()),
  };
}

async function startServer() {
  const directory = await mkdtemp(join(tmpdir(), 'facecast-redis-'));
  const port = await freePort();
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, ...SETTINGS],
    { stdio: 'ignore' },
  );
  const url = `redis://127.0.0.1:${port}`;
  const probe = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  probe.on('error', () => {});
  await probe.ping();
  probe.disconnect();
  return {
    url,
    stop: async () => {
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
