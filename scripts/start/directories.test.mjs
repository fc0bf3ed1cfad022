import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  lockDataDirectory,
  makeRunDirectory,
  removeUnhiddenOrphans,
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

  test.each([
    ['as earlier versions wrote it', '1'],
    ['with another start time', '1 5 6'],
    ["with this process's id, as in containers", `${process.pid}`],
    ['cut short', ''],
  ])('is free if another program has the process id now: %s', (_how, record) => {
    writeFileSync(join(dataDir, 'start.pid'), record);
    lockDataDirectory(dataDir)();
  });

  test('belongs to a start of an earlier version, which wrote only its process id', async () => {
    const start = spawn(process.execPath, ['-e', 'process.stdin.resume()', 'start.mjs']);
    await once(start, 'spawn');
    writeFileSync(join(dataDir, 'start.pid'), `${start.pid}`);
    expect(() => lockDataDirectory(dataDir)).toThrow(`(process ${start.pid})`);
    const exited = once(start, 'exit');
    start.kill();
    await exited;
    lockDataDirectory(dataDir)();
  });
});

describe('the directory of unhidden pictures', () => {
  const memory = mkdtempSync(join(tmpdir(), 'facecast-memory-'));
  afterAll(() => rmSync(memory, { recursive: true }));

  test('is a fresh one in memory, and what a killed start left there is removed', () => {
    const left = join(memory, `facecast-${deadPid}-abc`);
    // Another program, this test, has the process id of a start that was killed.
    const recycled = join(memory, `facecast-${process.pid}-abc`);
    for (const path of [left, recycled]) mkdirSync(path);
    writeFileSync(join(recycled, 'start.pid'), `${process.pid} 5 6`);
    const alive = makeRunDirectory(memory);
    const fresh = makeRunDirectory(memory);
    expect(readdirSync(memory).sort()).toEqual([basename(alive), basename(fresh)].sort());
  });

  test.runIf(process.getuid?.() === 0)(
    'of another user is left alone, and no reason not to start',
    () => {
      const others = mkdtempSync(join(tmpdir(), 'facecast-shared-'));
      chmodSync(others, 0o1777);
      mkdirSync(join(others, `facecast-${deadPid}-abc`), { mode: 0o700 });
      const program = `
      import { makeRunDirectory } from '${new URL('directories.mjs', import.meta.url).href}';
      process.setuid(65534);
      makeRunDirectory(process.argv[1]);`;
      const args = ['--input-type=module', '-e', program, others];
      expect(spawnSync(process.execPath, args, { encoding: 'utf8' })).toMatchObject({ stderr: '' });
      expect(readdirSync(others)).toHaveLength(2);
      rmSync(others, { recursive: true });
    },
  );

  test('is nowhere else if the machine has no memory directory: an error says what to do', () => {
    expect(() => makeRunDirectory(findMemoryDirectory({}, []))).toThrow(
      /no directory in memory.*tmpfs/,
    );
  });

  test.runIf(process.platform === 'linux')('may not be on a disk', () => {
    expect(() => requireMemory('FRAMES_DIR', '/proc/nowhere')).toThrow(
      /^FRAMES_DIR: .* is on a disk/,
    );
    requireMemory('FRAMES_DIR', '/dev/shm/not/there/yet');
    requireMemory('FRAMES_DIR', undefined);
  });

  test('that earlier versions left on the disk is removed', () => {
    mkdirSync(join(dataDir, 'redis', 'appendonlydir'), { recursive: true });
    mkdirSync(join(dataDir, 'recordings'), { recursive: true });
    removeUnhiddenOrphans(dataDir);
    expect(readdirSync(dataDir)).toEqual(['recordings']);
  });
});
