import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLive } from './support/live-session.js';
import { memory } from './support/memory.js';
import { processesOf, processesUnder, signal } from './support/processes.js';
import { startStack, type Stack } from './support/stack.js';
import { noiseClip } from './support/noise-clip.js';
import { TraceSearch } from './support/traces.js';

const run = promisify(execFile);

let directory: string;
let clips: string;
let webm: Buffer;
let stack: Stack;
let search: TraceSearch;

beforeAll(async () => {
  // The system writes to disk here; the test itself does not.
  directory = await mkdtemp(join(tmpdir(), 'facecast-no-trace-'));
  clips = await mkdtemp(join(memory, 'facecast-clips-'));
  const clip = await noiseClip(clips, 40);
  webm = clip.webm;
  for (const name of ['data', 'tmp']) mkdirSync(join(directory, name));
  search = await TraceSearch.begin(clip.pieces);
  stack = await startStack({ DATA_DIR: join(directory, 'data'), TMPDIR: join(directory, 'tmp') });
});

afterAll(async () => {
  await stack?.stop();
  await search?.end();
  for (const path of [directory, clips]) await rm(path, { recursive: true, force: true });
});

/** All files on the disks that contain media. */
const onDisks = async () => [
  ...(await search.onDisks()),
  ...(await search.mediaUnder(directory)),
  ...(await search.openedBy(stack.pid)),
];

/** The files that the system has in memory at the moment. */
const inMemory = () =>
  readdirSync(memory)
    .filter((name) => name.startsWith(`facecast-${stack.pid}-`))
    .map((name) => join(memory, name))
    .concat(stack.framesDir);

const tracesInMemory = async () =>
  (await Promise.all(inMemory().map((path) => search.under(path)))).flat();

test('unhidden pictures are on no disk while a stream is live, after it, and after a SIGKILL of everything', async () => {
  const live = await startLive(stack, webm, 'blur');
  // The search works: it finds the chunks in memory, where they belong.
  await expect.poll(tracesInMemory).not.toEqual([]);
  expect(await onDisks()).toEqual([]);
  await live.end();
  expect(await onDisks()).toEqual([]);
  await expect.poll(tracesInMemory).toEqual([]);

  const other = await startLive(stack, webm, 'blur');
  await other.viewer.parts(5);
  const all = await processesUnder(stack.pid);
  signal([{ pid: stack.pid, parent: 0, command: '' }, ...all], 'SIGKILL');
  expect(await onDisks()).toEqual([]);
  other.viewer.leave();
});

test('the next start removes what a killed one left in memory, and what earlier versions left on the disk', async () => {
  const left = inMemory().filter((path) => path !== stack.framesDir);
  expect(left).toHaveLength(1);
  const old = join(directory, 'data', 'redis', 'appendonlydir');
  mkdirSync(old, { recursive: true });
  stack = await startStack({ DATA_DIR: join(directory, 'data') });
  for (const path of [...left, join(directory, 'data', 'redis')])
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

test('only the owner can read the files, and no crash writes a core', async () => {
  const { stdout } = await run('find', [
    ...inMemory(),
    join(directory, 'data'),
    ...['!', '-type', 'l', '-perm', '/077'],
  ]);
  // The test made this directory, before the system started.
  expect(stdout.trim().split('\n')).toEqual([join(directory, 'data')]);
  for (const service of ['redis-server', 'services/gateway', 'services/face-detector']) {
    const [found] = await processesOf(stack, service);
    const limits = await readFile(`/proc/${found?.pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
  }
});
