import { appendFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import { connectRedis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { describe, expect, test } from 'vitest';
import { Janitor } from '../cleanup/janitor.js';
import { StatsCounter } from '../session/stats-counter.js';
import { run, upTo } from '../testing/test-frames.js';
import {
  SESSION,
  end,
  file,
  folder,
  hold,
  kill,
  live,
  metrics,
  packager,
  playBoth,
  playlist,
  publish,
  recorder,
  recordings,
  root,
  useRecordings,
} from '../testing/use-recordings.js';

useRecordings();

describe('where it cannot be recorded', () => {
  test('because the disk is almost full, it ends, is said so, and live goes on', async () => {
    await publish(15);
    await recorder?.settled();
    await kill();
    await hold({ minFreeBytes: Number.MAX_SAFE_INTEGER });
    await publish(15);
    await recorder?.settled();
    expect(recorder?.state).toBe('stopped');
    expect((await metrics.recordingsStopped.get()).values[0]?.value).toBe(1);
    expect(packager.frames).toBe(90);
    expect(await end()).toBe('stopped');
    expect(await playBoth()).toEqual([upTo(30), upTo(30)]);
  });

  test('because segments are gone before the disk took them, it ends there', async () => {
    await publish(15);
    await recorder?.close();
    await publish(15);
    await rm(join(live, '2.m4s'));
    expect(await end()).toBe('stopped');
    expect(await playBoth()).toEqual([upTo(30), upTo(30)]);
  });

  test.each([
    [11, 'on'],
    [12, 'stopped'],
  ])('after %d hours it is %s, and live goes on', async (hours, state) => {
    await publish(15);
    await recorder?.settled();
    await kill();
    const text = await readFile(file('recording.m3u8'), 'utf8');
    const [, last = ''] = /.*(#EXTINF:[\d.]+)/s.exec(text) ?? [];
    await writeFile(file('recording.m3u8'), text.replace(last, `#EXTINF:${hours * 3600}.00000`));
    await hold();
    await publish(15);
    await recorder?.settled();
    expect(recorder?.state).toBe(state);
    expect(packager.frames).toBe(90);
  });

  test('because the disk hangs, the session ends all the same, and it is finished when the disk is back', async () => {
    await kill();
    await hold({ maxFinishMs: 20 });
    await publish(25);
    await recorder?.settled();
    const about = await readFile(file('recording.json'));
    await rm(file('recording.json'));
    // Whoever opens it waits for a writer.
    await run('mkfifo', [file('recording.json')]);
    await packager.end();
    const last = new StatsCounter(SESSION.id, 30).snapshot('ended');
    for (let tries = 0; tries < 3; tries++) await recordings.finish(last, packager.segments);
    expect(await readdir(folder)).not.toContain('session.json');
    await writeFile(file('recording.json'), about);
    await expect.poll(() => readdir(folder)).toContain('session.json');
    expect(await playBoth()).toEqual([upTo(75), upTo(75)]);
  });

  test('because there is no such directory, live goes on', async () => {
    await rm(join(root, 'recordings'), { recursive: true, force: true });
    await appendFile(join(root, 'recordings'), 'a file');
    await publish(12);
    await recorder?.settled();
    expect(recorder?.state).toBe('stopped');
    expect(await end()).toBe('off');
  });

  test('because no session asked for it, there is nothing', async () => {
    expect(recordings.record({ ...SESSION, record: false })).toBeUndefined();
  });
});

describe('in the course of time', () => {
  test('what nobody finished is finished, then removed after the retention', async () => {
    const redis = connectRedis(redisUrl, 'producer', createLogger('test', 'fatal'));
    try {
      await redis.flushall();
      const registry = new SessionRegistry(redis);
      await publish(25);
      await recorder?.settled();
      await kill();
      await rm(live, { recursive: true });
      await recordings.finishOrphans(registry);
      expect(await playBoth()).toEqual([upTo(60), upTo(60)]);
      expect((await playlist()).endlist).toBe(true);
      const { mtimeMs } = await stat(file('session.json'));
      const log = createLogger('test', 'fatal');
      const janitor = new Janitor(join(root, 'recordings'), 3_600_000, registry, log);
      await janitor.sweep(mtimeMs + 3_500_000);
      expect(await readdir(join(root, 'recordings'))).toEqual([SESSION.id]);
      await janitor.sweep(mtimeMs + 3_700_000);
      expect(await readdir(join(root, 'recordings'))).toEqual([]);
    } finally {
      redis.disconnect();
    }
  });

  test('what a power cut left incomplete on the disk is played as far as it goes', async () => {
    await publish(25);
    await recorder?.settled();
    await kill();
    const { size } = await stat(file('recording.mp4'));
    await truncate(file('recording.mp4'), size - 1_000);
    await truncate(file('recording.mp4'), size);
    await rm(live, { recursive: true });
    const stats = new StatsCounter(SESSION.id, 30).snapshot('ended');
    await recordings.finish(stats, []);
    expect((await stat(file('recording.mp4'))).size).toBeGreaterThan(size);
  });
});
