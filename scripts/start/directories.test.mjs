import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  lockDataDirectory,
  makeRunDirectory,
  removeUnhiddenLeftovers,
  requireMemory,
} from './directories.mjs';
import { findMemoryDirectory } from './memory.mjs';

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

describe('what may show an unhidden picture', () => {
  const memory = mkdtempSync(join(tmpdir(), 'facecast-memory-'));
  afterAll(() => rmSync(memory, { recursive: true }));

  test('has a fresh directory in memory, and what a killed start left there is removed', () => {
    const left = join(memory, `facecast-${deadPid}-abc`);
    const alive = join(memory, `facecast-${process.pid}-abc`);
    for (const path of [left, alive]) mkdirSync(path);
    const fresh = makeRunDirectory(memory);
    expect(readdirSync(memory).sort()).toEqual([basename(alive), basename(fresh)].sort());
  });

  test('goes nowhere else where there is none: that is said, with the way out', () => {
    expect(() => makeRunDirectory(findMemoryDirectory({}, []))).toThrow(
      /no directory in memory.*tmpfs/,
    );
  });

  test.runIf(process.platform === 'linux')('is refused a directory on a disk', () => {
    expect(() => requireMemory('FRAMES_DIR', '/proc/nowhere')).toThrow(
      /^FRAMES_DIR: .* is on a disk/,
    );
    requireMemory('FRAMES_DIR', '/dev/shm/not/there/yet');
    requireMemory('FRAMES_DIR', undefined);
  });

  test('and was left on the disk by older versions is removed', () => {
    mkdirSync(join(dataDir, 'redis', 'appendonlydir'), { recursive: true });
    mkdirSync(join(dataDir, 'recordings'), { recursive: true });
    removeUnhiddenLeftovers(dataDir);
    expect(readdirSync(dataDir)).toEqual(['recordings']);
  });
});
