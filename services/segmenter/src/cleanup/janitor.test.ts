import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { recordedLog } from '@facecast/shared/testing/recorded-log';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Janitor } from './janitor.js';

const log = createLogger('test', 'fatal');
const RETENTION_MS = 600_000;
const NOW = Date.parse('2026-03-01T12:00:00Z');

let hlsDir: string;
let redis: Redis;
let registry: SessionRegistry;
let janitor: Janitor;

beforeEach(async () => {
  hlsDir = await mkdtemp(join(tmpdir(), 'facecast-janitor-'));
  redis = connectRedis(redisUrl, 'producer', log);
  await redis.flushall();
  registry = new SessionRegistry(redis);
  janitor = new Janitor(hlsDir, RETENTION_MS, registry, log);
});

afterEach(async () => {
  redis.disconnect();
  await rm(hlsDir, { recursive: true });
});

/** A session's folder that was last written to `ageMs` ago, and whose session ended then, or did not. */
async function makeFolder(name: string, ageMs: number, ended: boolean) {
  const folder = join(hlsDir, name);
  const at = new Date(NOW - ageMs);
  await mkdir(folder);
  await writeFile(join(folder, 'live.m3u8'), '#EXTM3U\n');
  if (ended) {
    await writeFile(join(folder, 'session.json'), '{}');
    await utimes(join(folder, 'session.json'), at, at);
  }
  await utimes(folder, at, at);
}

describe('the janitor', () => {
  test('removes an ended session after the retention, and not before', async () => {
    await makeFolder('old', RETENTION_MS, true);
    await makeFolder('young', RETENTION_MS - 1, true);
    await janitor.sweep(NOW);
    expect(await readdir(hlsDir)).toEqual(['young']);
  });

  test('writes down for the audit what it removes, and why, whatever the level of the log is', async () => {
    const { log, lines } = recordedLog('error');
    const janitor = new Janitor(hlsDir, RETENTION_MS, registry, log, [], 'expire recording');
    await makeFolder('old', RETENTION_MS, true);
    await makeFolder('young', 1_000, true);
    await janitor.sweep(NOW);
    await janitor.freeSpace();
    expect(lines).toMatchObject([
      { audit: true, action: 'expire recording', subject: 'retention', sessionId: 'old' },
      { audit: true, action: 'expire recording', subject: 'lack of space', sessionId: 'young' },
    ]);
  });

  test('removes what a killed service left of a session that is not registered', async () => {
    await makeFolder('old', RETENTION_MS, false);
    await makeFolder('young', 1_000, false);
    await janitor.sweep(NOW);
    expect(await readdir(hlsDir)).toEqual(['young']);
  });

  test('never touches a running session, however quiet', async () => {
    const { session } = await registry.create({ mimeType: 'video/webm', effect: 'box' }, 1);
    await makeFolder(session.id, 100 * RETENTION_MS, false);
    await janitor.sweep(NOW);
    expect(await readdir(hlsDir)).toEqual([session.id]);
  });

  test('frees space on a full volume: the session that ended first is removed, and never a running one', async () => {
    const { session } = await registry.create({ mimeType: 'video/webm', effect: 'box' }, 1);
    await makeFolder(session.id, RETENTION_MS, false);
    await makeFolder('older', 2_000, true);
    await makeFolder('younger', 1_000, true);
    await janitor.freeSpace();
    expect((await readdir(hlsDir)).sort()).toEqual([session.id, 'younger'].sort());
    await janitor.freeSpace();
    await janitor.freeSpace();
    expect(await readdir(hlsDir)).toEqual([session.id]);
  });

  test('leaves other folders alone', async () => {
    await makeFolder('lost+found', RETENTION_MS, false);
    await writeFile(join(hlsDir, 'file'), '');
    await janitor.freeSpace();
    await janitor.sweep(Date.now() + RETENTION_MS);
    expect((await readdir(hlsDir)).sort()).toEqual(['file', 'lost+found']);
  });

  test('has nothing to do where there is no directory', async () => {
    const nowhere = new Janitor(join(hlsDir, 'nowhere'), RETENTION_MS, registry, log);
    await expect(nowhere.sweep(NOW)).resolves.toBeUndefined();
  });
});
