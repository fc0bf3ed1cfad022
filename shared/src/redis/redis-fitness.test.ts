import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisUrl } from '../testing/worker-redis.js';
import { whyUnfit } from './redis-fitness.js';
import { freePort } from '../testing/free-port.js';

const run = promisify(execFile);

/** A service that connects, writes, prints `up`, and stops by itself. */
const SERVICE = `
  import { createLogger } from '../../dist/runtime/logger.js';
  import { runService } from '../../dist/runtime/service.js';
  import { connectRedis } from '../../dist/redis/redis.js';
  await runService(async () => {
    const log = createLogger('test', 'error');
    const redis = connectRedis(process.argv[1], 'worker', log);
    await redis.set('fit', 1, 'EX', 10);
    console.log('up');
    process.exit(0);
  });`;
const serviceWith = (url: string) =>
  run('node', ['--input-type=module', '--eval', SERVICE, url], { cwd: import.meta.dirname });

describe('a service stops at once, with one line that names the setting,', () => {
  const refused = async (url: string, why: RegExp) => {
    const error = await serviceWith(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 78, stdout: '' });
    const { stderr } = error as { stderr: string };
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/^REDIS_URL: .*\n$/);
  };

  test('if Redis throws keys away when its memory is full', async () => {
    const redis = new Redis(redisUrl);
    await redis.config('SET', 'maxmemory-policy', 'volatile-lru');
    expect((await serviceWith(redisUrl)).stdout).toBe('up\n');
    await redis.config('SET', 'maxmemory', '1gb');
    await refused(redisUrl, /maxmemory-policy volatile-lru.*noeviction/);
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    expect((await serviceWith(redisUrl)).stdout).toBe('up\n');
    await redis.config('SET', 'maxmemory', '0');
    await redis.quit();
  });

  let directory: string;
  beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'facecast-redis-'))));
  afterAll(() => rm(directory, { recursive: true }));

  test.each([
    ['Sentinel', ['--sentinel'], /Sentinel/],
    ['Cluster’s node', ['--cluster-enabled', 'yes'], /Cluster/],
  ])('if it is a %s', async (_what, args, why) => {
    const port = await freePort();
    const config = join(directory, `${port}.conf`);
    await writeFile(config, `port ${port}\nbind 127.0.0.1\ndir "${directory}"\n`);
    const server = spawn('redis-server', [config, ...args], { stdio: 'ignore' });
    const exited = once(server, 'exit');
    await refused(`redis://127.0.0.1:${port}`, why);
    server.kill('SIGKILL');
    await exited;
  });
});

test('a Redis that does not tell its policy is accepted', () => {
  expect(whyUnfit('redis_mode:standalone\r\nmaxmemory:1000\r\n')).toBeUndefined();
});
