import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { countedClip } from '../support/clips.js';
import { HostileClient } from '../support/hostile-client.js';
import { startLive } from '../support/live-session.js';
import { processesOf } from '../support/processes.js';
import { startStack, type Stack } from '../support/stack.js';
import { table } from './tables.js';
import { footprintOf } from './resources.js';

const MINUTES = Number(process.env['HOSTILE_MINUTES'] ?? 60);
/** The attackers' loopback addresses: the gateway takes each for another client. */
const ADDRESSES = ['127.0.0.2', '127.0.0.3'];
/** In each wave of an address: sockets of each kind, wrong tokens, and viewers of a live session. */
const SOCKETS = 40;
const GUESSES = 100;
const VIEWERS = 200;
const WAVE_MS = 10_000;
const CLIP_SECONDS = 120;
const SERVICES = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'];

/**
 * Two addresses attack, wave after wave, beside one honest publisher after another with a viewer. Measures the
 * frames that the viewer missed, the answers to the attackers, and the memory in use.
 */
export async function benchHostile(): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'facecast-hostile-'));
  const path = join(media, 'counted.webm');
  await countedClip(path, 30 * CLIP_SECONDS);
  const webm = await readFile(path);
  const stack = await startStack({ LOG_LEVEL: 'error', RETENTION_MINUTES: '1' });
  try {
    const honest = { sessions: 0, frames: 0, missing: 0, disordered: 0, failed: 0 };
    const answers: Record<string, number> = {};
    let liveSession = '';
    await publish(stack, webm, { ...honest }, () => {}, 10);
    const before = await resources(stack);
    const most: Resources = { ...before };
    const end = performance.now() + MINUTES * 60_000;
    const attacks = ADDRESSES.map(async (address) => {
      while (performance.now() < end) {
        await wave(new HostileClient(stack, address), liveSession, answers);
        const now = await resources(stack);
        for (const [what, value] of Object.entries(now))
          most[what] = Math.max(most[what] ?? 0, value);
      }
    });
    while (performance.now() < end)
      await publish(stack, webm, honest, (sessionId) => (liveSession = sessionId));
    await Promise.all(attacks);
    await after(WAVE_MS);
    const left = await resources(stack);
    const rows = Object.keys(before).map((what) => [
      what,
      ...[before, most, left].map((each) => (each[what] ?? 0).toFixed(0)),
    ]);
    const told = Object.entries({ ...honest, ...answers }).map(([what, count]) => [
      ...[what, '', '', String(count)],
    ]);
    return table([`${MINUTES} minutes`, 'before', 'most', 'after'], [...rows, ...told]);
  } finally {
    await stack.stop();
    await rm(media, { recursive: true, force: true });
  }
}

type Counts = Record<'sessions' | 'frames' | 'missing' | 'disordered' | 'failed', number>;
type Resources = Record<string, number>;

/** One honest session, for `parts` parts or to the end of the clip; counts what its viewer missed. */
async function publish(
  stack: Stack,
  webm: Buffer,
  counts: Counts,
  isLive: (sessionId: string) => void,
  parts?: number,
): Promise<void> {
  try {
    const session = await startLive(stack, webm);
    isLive(session.publisher.sessionId);
    counts.sessions++;
    const frames = await (parts === undefined ? session.finish() : session.end(parts));
    const numbers = await session.viewer.numbers();
    counts.frames += frames;
    const missing = frames - new Set(numbers).size;
    const disordered = numbers.filter((number, n) => n > 0 && number <= numbers[n - 1]!).length;
    counts.missing += missing;
    counts.disordered += disordered;
    const what = { frames, missing, disordered, complaints: session.viewer.complaints };
    console.error(`${new Date().toISOString()} ${JSON.stringify(what)}`);
  } catch (error) {
    counts.failed++;
    console.error(`${new Date().toISOString()} ${(error as Error).message}`);
  }
}

async function wave(
  client: HostileClient,
  sessionId: string,
  answers: Record<string, number>,
): Promise<void> {
  await client.openSockets(SOCKETS);
  const playlist = `/hls/${sessionId}/live.m3u8`;
  const asked = [
    ...Array.from({ length: GUESSES }, async () => ['wrong token', await client.guessToken()]),
    ...Array.from({ length: VIEWERS }, async () => [
      'flood of viewers',
      await client.get(playlist),
    ]),
  ];
  for (const [kind, status] of await Promise.all(asked)) {
    const what = `${kind}: ${status}`;
    answers[what] = (answers[what] ?? 0) + 1;
  }
  await after(WAVE_MS);
  client.leave();
}

async function resources(stack: Stack): Promise<Resources> {
  const found: Resources = {};
  for (const path of [...SERVICES.map((service) => `services/${service}`), 'redis-server']) {
    const { megabytes, openFiles } = await footprintOf(await processesOf(stack, path));
    found[`${path}: MB`] = megabytes;
    found[`${path}: open files`] = openFiles;
  }
  return found;
}
