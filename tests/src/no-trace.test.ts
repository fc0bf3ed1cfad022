import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
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
import { piecesOf, TraceSearch } from './support/traces.js';

const run = promisify(execFile);

let directory: string;
let clips: string;
let webm: Buffer;
let stack: Stack;
let search: TraceSearch;
let needles: Buffer[];

beforeAll(async () => {
  // What the system writes on a disk is here; what the test itself writes is not.
  directory = await mkdtemp(join(tmpdir(), 'facecast-no-trace-'));
  clips = await mkdtemp(join(memory, 'facecast-clips-'));
  const path = join(clips, 'noise.webm');
  await noiseClip(path, 40);
  webm = await readFile(path);
  needles = [...piecesOf(webm), ...piecesOf(await firstPictures(path))];
  for (const name of ['data', 'tmp']) mkdirSync(join(directory, name));
  search = await TraceSearch.begin(needles);
  stack = await startStack({ DATA_DIR: join(directory, 'data'), TMPDIR: join(directory, 'tmp') });
});

afterAll(async () => {
  await stack?.stop();
  await search?.end();
  for (const path of [directory, clips]) await rm(path, { recursive: true, force: true });
});

/** Everything with media in it, on the disks. */
const onDisks = async () => [
  ...(await search.onDisks()),
  ...(await search.mediaUnder(directory)),
  ...(await search.openedBy(stack.pid)),
];

/** What the system has in memory at the moment, as files. */
const inMemory = () =>
  readdirSync(memory)
    .filter((name) => name.startsWith(`facecast-${stack.pid}-`))
    .map((name) => join(memory, name))
    .concat(stack.framesDir);

const tracesInMemory = async () =>
  (await Promise.all(inMemory().map((path) => search.under(path)))).flat();

test('what nobody hid is on no disk while a stream is live, after it, and after a SIGKILL of everything', async () => {
  const live = await startLive(stack, webm, 'blur');
  // The search can find: in memory, where they belong, the chunks are.
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

test('the next start removes what a killed one left in memory, and what older versions left on the disk', async () => {
  const left = inMemory().filter((path) => path !== stack.framesDir);
  expect(left).toHaveLength(1);
  const old = join(directory, 'data', 'redis', 'appendonlydir');
  mkdirSync(old, { recursive: true });
  stack = await startStack({ DATA_DIR: join(directory, 'data') });
  for (const path of [...left, join(directory, 'data', 'redis')])
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

test('what is written is its owner’s alone, and no crash writes a core', async () => {
  const { stdout } = await run('find', [
    ...inMemory(),
    join(directory, 'data'),
    ...['!', '-type', 'l', '-perm', '/077'],
  ]);
  // They were made by the test, before the system.
  expect(stdout.trim().split('\n')).toEqual([join(directory, 'data')]);
  for (const service of ['redis-server', 'services/gateway', 'services/face-detector']) {
    const [found] = await processesOf(stack, service);
    const limits = await readFile(`/proc/${found?.pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
  }
});

/** A WebM (VP8) like no other: what is found of it was not left by another test. */
async function noiseClip(path: string, seconds: number): Promise<void> {
  const noise = `noise=alls=40:allf=t:all_seed=${randomInt(2 ** 30)}`;
  const source = `testsrc2=size=320x240:rate=30:duration=${seconds},${noise}`;
  const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'];
  const webmOptions = ['-g', '30', '-f', 'webm', '-cluster_time_limit', '100', '-live', '1'];
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...vp8, ...webmOptions, path]);
}

/** A second of pictures as the frame-extractor writes them. */
async function firstPictures(path: string): Promise<Buffer> {
  const raw = ['-t', '1', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'];
  const options = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const;
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', path, ...raw], options);
  return stdout;
}
