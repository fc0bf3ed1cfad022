import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { lockDataDirectory, makeRunDirectory } from './directories.mjs';

const dataDir = mkdtempSync(join(tmpdir(), 'facecast-directories-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

/** The id of a process that has ended. */
const deadPid = spawnSync('true').pid;

describe('the data directory', () => {
  test('belongs to one start at a time', () => {
    const unlock = lockDataDirectory(dataDir);
    expect(() => lockDataDirectory(dataDir)).toThrow(/is in use by a running Facecast/);
    unlock();
    lockDataDirectory(dataDir)();
  });

  test('is free again after a start that was killed', () => {
    writeFileSync(join(dataDir, 'start.pid'), `${deadPid}`);
    lockDataDirectory(dataDir)();
    expect(existsSync(join(dataDir, 'start.pid'))).toBe(false);
  });
});

describe('the frames directory', () => {
  test('is fresh, and what a killed start left in memory is removed', () => {
    const left = makeRunDirectory(dataDir).replace(`-${process.pid}-`, `-${deadPid}-`);
    spawnSync('mkdir', ['-p', left]);
    const fresh = makeRunDirectory(dataDir);
    expect(existsSync(fresh)).toBe(true);
    if (fresh.startsWith('/dev/shm')) expect(existsSync(left)).toBe(false);
    rmSync(fresh, { recursive: true });
  });
});
