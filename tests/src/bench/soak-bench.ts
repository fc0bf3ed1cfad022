import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { Redis } from 'ioredis';
import { countedClip } from '../support/clips.js';
import { startLive } from '../support/live-session.js';
import { memory } from '../support/memory.js';
import { NOISE_SIZE, noiseClip } from '../support/noise-clip.js';
import { environmentOf, ffmpegsOf, processesOf, signal } from '../support/processes.js';
import { startStack, type Stack } from '../support/stack.js';
import { TraceSearch } from '../support/traces.js';
import { footprintOf } from './resources.js';
import { table } from './tables.js';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 30);
/** Number of sessions at once; the second is not blurred. */
const SESSIONS = Number(process.env['SOAK_SESSIONS'] ?? 4);
const CLIP_SECONDS = 40;
const FAULT_EVERY_MS = 10_000;
const AFTER_REFUSAL_MS = 3_000;
const SERVICES = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'];
/** After this everything that sessions leave for a while is gone, in milliseconds: the janitor has run. */
const SETTLE_MS = 40_000;

/** What one of the sessions publishes. */
interface Source {
  webm: Buffer;
  effect: Effect;
}

type Fault = (stack: Stack) => Promise<void>;

const oneOf =
  (service: string, name: NodeJS.Signals): Fault =>
  async (stack) =>
    signal(shuffled(await processesOf(stack, `services/${service}`)).slice(0, 1), name);

const ffmpegOf =
  (service: string): Fault =>
  async (stack) =>
    signal(shuffled(await ffmpegsOf(stack, `services/${service}`)).slice(0, 1), 'SIGSTOP');

const faults: Record<string, Fault> = {
  ...Object.fromEntries(SERVICES.map((name) => [`${name} killed`, oneOf(name, 'SIGKILL')])),
  ...Object.fromEntries(SERVICES.map((name) => [`${name} told to stop`, oneOf(name, 'SIGTERM')])),
  'an encoder hangs': ffmpegOf('segmenter'),
  'a decoder hangs': ffmpegOf('frame-extractor'),
  'Redis killed': async (stack) => signal(await processesOf(stack, 'redis-server'), 'SIGKILL'),
};

/**
 * Sessions that come and go, with a random fault every ten seconds. Measures what is left of them and which frames
 * were lost. All but one are blurred, and no piece of these may be on a disk; that one has numbered frames.
 */
export async function benchSoak(): Promise<string> {
  // In memory: the search of the disks would find it.
  const media = await mkdtemp(join(memory, 'facecast-soak-'));
  const path = join(media, 'counted.webm');
  await countedClip(path, 30 * CLIP_SECONDS);
  const noise = await noiseClip(media, CLIP_SECONDS);
  const counted: Source = { webm: await readFile(path), effect: 'box' };
  const blurred: Source = { webm: noise.webm, effect: 'blur' };
  const search = await TraceSearch.begin(noise.pieces);
  const stack = await startStack({
    DETECTOR_REPLICAS: '2',
    RETENTION_MINUTES: '1',
    LOG_LEVEL: 'error',
  });
  const redis = await redisOf(stack);
  try {
    const counts = { sessions: 0, refused: 0, frames: 0, lost: 0, failed: 0 };
    const happened: Record<string, number> = {};
    await session(stack, counted, 3, { ...counts });
    await after(SETTLE_MS);
    const before = await inventory(stack, redis);
    const end = performance.now() + MINUTES * 60_000;
    const running = Array.from({ length: SESSIONS }, async (_, n) => {
      const source = n === 1 ? counted : blurred;
      while (performance.now() < end) await session(stack, source, 5 + 20 * Math.random(), counts);
    });
    while (performance.now() < end) {
      await after(FAULT_EVERY_MS);
      const [name, fault] = shuffled(Object.entries(faults))[0]!;
      tell(name);
      happened[name] = (happened[name] ?? 0) + 1;
      await fault(stack);
    }
    await Promise.all(running);
    await after(SETTLE_MS + 60_000);
    const left = await inventory(stack, redis);
    const traces = [...(await search.onDisks()), ...(await search.openedBy(stack.pid))];
    for (const path of traces) tell(`unhidden media: ${path}`);
    const rows = Object.keys(before).map((what) => [what, before[what] ?? '', left[what] ?? '']);
    const told = Object.entries({ ...counts, 'files with media': traces.length, ...happened }).map(
      ([what, count]) => [what, '', String(count)],
    );
    return table([`${MINUTES} minutes`, 'before', 'after'], [...rows, ...told]);
  } finally {
    redis.disconnect();
    await stack.stop();
    await search.end();
    await rm(media, { recursive: true, force: true });
  }
}

type Counts = Record<'sessions' | 'refused' | 'frames' | 'lost' | 'failed', number>;

/** One session of some seconds; counts the frames that its viewer missed. */
async function session(stack: Stack, { webm, effect }: Source, seconds: number, counts: Counts) {
  let id = 'one that was not begun';
  try {
    const live = await startLive(stack, webm, effect);
    counts.sessions++;
    id = live.publisher.sessionId;
    const frames = await live.end(Math.round(seconds * 10));
    const shown =
      effect === 'box' ? await live.viewer.numbers() : await live.viewer.pictures(NOISE_SIZE);
    const all = Array.from({ length: frames }, (_, n) => n);
    const wrong = all.filter((n) => (effect === 'box' ? shown[n] !== n : n >= shown.length));
    counts.frames += frames;
    counts.lost += wrong.length;
    if (wrong.length > 0)
      tell(`${id}: ${wrong.length} of ${frames} wrong from ${wrong[0]} on, had ${shown.length}`);
    for (const complaint of live.viewer.complaints) tell(`${id}: ${complaint}`);
  } catch (error) {
    // With more to search than can be searched a new session is refused, and rightly so.
    const isRefused = /^overloaded: The face search/.test((error as Error).message);
    counts[isRefused ? 'refused' : 'failed']++;
    if (!isRefused) tell(`${id} failed: ${(error as Error).message}`);
    await after(AFTER_REFUSAL_MS);
  }
}

/** A connection to the Redis that the system has for itself. */
async function redisOf(stack: Stack): Promise<Redis> {
  const [gateway] = await processesOf(stack, 'services/gateway');
  return new Redis((await environmentOf(gateway!))['REDIS_URL'] ?? '');
}

/** Prints what happened, with the time. */
function tell(what: string): void {
  console.error(`${new Date().toISOString()} ${what}`);
}

function shuffled<Value>(values: Value[]): Value[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

async function inventory(stack: Stack, redis: Redis): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const service of SERVICES) {
    const processes = await processesOf(stack, `services/${service}`);
    const { megabytes, openFiles } = await footprintOf(processes);
    found[`${service}: processes`] = String(processes.length);
    found[`${service}: MB`] = megabytes.toFixed(0);
    found[`${service}: open files`] = String(openFiles);
    found[`${service}: ffmpegs`] = String((await ffmpegsOf(stack, `services/${service}`)).length);
  }
  found['Redis: keys'] = String(await redis.dbsize());
  found['Redis: MB'] = (
    Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]) / 1e6
  ).toFixed(1);
  found['Redis: connections'] = String(
    /connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1],
  );
  found['frame store: sessions'] = String((await readdir(stack.framesDir)).length);
  found['HLS volume: sessions'] = String((await readdir(stack.hlsDir)).length);
  return found;
}
