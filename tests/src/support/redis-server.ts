import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '@facecast/shared/testing/free-port';

/** Settings as in docker-compose.yml and `npm start`. */
export const REDIS_SETTINGS = [
  // With `everysec` a busy disk holds writes back, and writes that were answered would die with Redis.
  ...['--appendonly', 'yes', '--appendfsync', 'no', '--save', ''],
  ...['--maxmemory-policy', 'noeviction'],
];

/** A Redis server of a test. */
export interface RedisServer {
  url: string;
  /** Kills Redis and starts it again with its files; resolves when it answers. */
  crash: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts the system's redis-server; resolves when it answers. */
export async function startRedisServer(): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'facecast-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  const start = () => spawn('redis-server', [...args, ...REDIS_SETTINGS], { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  let server = start();
  await answers(url);
  const end = async (signal: NodeJS.Signals) => {
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };
  return {
    url,
    crash: async () => {
      await end('SIGKILL');
      server = start();
      await answers(url);
    },
    stop: async () => {
      await end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<void> {
  const probe = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  probe.on('error', () => {});
  await probe.ping();
  probe.disconnect();
}
