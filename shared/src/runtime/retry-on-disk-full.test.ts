import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { RetryOnDiskFull, VolumeFullError, volumeRefusals } from './retry-on-disk-full.js';

let lines: { level: number; msg: string; err?: { code: string } }[];
let registry: Registry;

beforeEach(() => {
  lines = [];
  registry = new Registry();
});

function volume(options: { maxWaitMs?: number; freeSpace?: () => Promise<void> } = {}) {
  const output = new Writable({
    write: (line: Buffer, _, done) => {
      lines.push(JSON.parse(line.toString()) as (typeof lines)[0]);
      done();
    },
  });
  return new RetryOnDiskFull({
    volume: 'test',
    log: pino({}, output),
    refusals: volumeRefusals(registry),
    ...options,
  });
}

/** A write that fails for lack of space the given number of times. */
function refused(times: number) {
  return async () => {
    if (times-- > 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    return 'written';
  };
}

test('a write that finds the volume full succeeds once there is space; attempts are counted, and the log says so once', async () => {
  const full = volume();
  const writing = Promise.all([full.write(refused(3)), full.write(refused(2))]);
  await expect.poll(() => lines.length).toBe(1);
  await expect(full.check()).rejects.toThrow('full');
  const both = await writing;
  await full.check();
  expect(both).toEqual(['written', 'written']);
  expect(await registry.metrics()).toContain('facecast_volume_full_total 5');
  expect(lines.map(({ msg }) => msg)).toEqual(['volume is full', 'volume has free space again']);
  expect(lines[0]?.err?.code).toBe('ENOSPC');
});

test('a write that finds no space in time fails with a sentence for the publisher', async () => {
  const full = volume({ maxWaitMs: 0 });
  await expect(full.write(refused(Infinity))).rejects.toThrow(VolumeFullError);
  await expect(full.write(refused(Infinity))).rejects.toThrow(/^The server has no room/);
});

test('what can be spared is removed while a write waits for space', async () => {
  let room = 0;
  const freeSpace = async () => void room++;
  const attempt = async () => {
    if (room === 0) return refused(1)();
    return 'written';
  };
  expect(await volume({ freeSpace }).write(attempt)).toBe('written');
});

test('a service that stops does not wait for space, and other failures are passed on', async () => {
  const full = volume();
  const waiting = full.write(refused(Infinity));
  full.close();
  await expect(waiting).rejects.toThrow(VolumeFullError);
  await expect(full.write(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(lines).toHaveLength(1);
});
