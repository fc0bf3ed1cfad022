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
/** Loopback addresses, each an address of its own to the gateway. */
const ADDRESSES = ['127.0.0.2', '127.0.0.3'];
/** Of a wave of one address: sockets of each kind, wrong tokens, and viewers of a session that is live. */
const SOCKETS = 40;
const GUESSES = 100;
const VIEWERS = 200;
const WAVE_MS = 10_000;
const CLIP_SECONDS = 120;
const SERVICES = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'];

/**
 * Two addresses attack, wave after wave, beside one honest publisher after another with a viewer: what
 * of theirs was lost, how the attackers were answered, and what memory it took.
 */
export async function benchHostile(): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'facecast-hostile-'));
  const path = join(media, 'counted.webm');
  await countedClip(path, 30 * CLIP_SECONDS);
  const webm = await readFile(path);
  const stack = await startStack({ LOG_LEVEL: 'error', RETENTION_MINUTES: '1' });
  try {
    const honest = { sessions: 0, frames: 0, wrong: 0, failed: 0 };
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

type Counts = Record<'sessions' | 'frames' | 'wrong' | 'failed', number>;
type Resources = Record<string, number>;

/** One honest session, for `parts` or to the end of the clip, and what of it came. */
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
    counts.wrong += numbers.filter((number, n) => number !== n).length;
    counts.wrong += Math.abs(frames - numbers.length);
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
