import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { faceClip } from '../support/clips.js';
import { LivePublisher } from '../support/live-publisher.js';
import { startStack, type Stack } from '../support/stack.js';
import { statsOf } from '../support/session-api.js';
import { quantile, table } from './tables.js';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 300);
const SESSIONS = Number(process.env['BENCH_SESSIONS'] ?? 12);
/** Number of sessions that end before the others. */
const LEAVING = Math.floor((SESSIONS * 2) / 3);
/** How long the others have to be in time again, in seconds. */
const RECOVERY_SECONDS = 60;
/** In time: the newest frame in the playlist is no older than this, in milliseconds. */
const IN_TIME_MS = 1_000;

/**
 * Far more sessions than the machine can process, begun at once, before the gateway refuses any. Measures whether
 * one is ended, how late they get, and how soon the others are in time when most leave. Publishers leave out
 * what the server does not take in time, as a page does.
 */
export async function benchOverload(): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'facecast-overload-'));
  const stack = await startStack();
  try {
    const path = join(media, 'face.webm');
    await faceClip(path, SECONDS + RECOVERY_SECONDS + 60);
    const clip = await readFile(path);
    const ended: string[] = [];
    const publishers = await Promise.all(
      Array.from({ length: SESSIONS }, () =>
        LivePublisher.start(stack.ingestUrl, clip, 'blur', { pausesWhenLate: true }),
      ),
    );
    for (const publisher of publishers)
      publisher.refused().catch(({ message }: Error) => ended.push(message));
    const rows: string[][] = [];
    for (let passed = 0; passed < SECONDS; passed += SECONDS / 5) {
      await after((SECONDS / 5) * 1000);
      rows.push([`${Math.round(passed + SECONDS / 5)}`, ...(await look(stack, publishers, ended))]);
    }
    const [leaving, staying] = [publishers.slice(0, LEAVING), publishers.slice(LEAVING)];
    void Promise.allSettled(leaving.map((publisher) => publisher.stop()));
    const recovered = await recovery(stack, staying);
    rows.push([`${LEAVING} left, + ${recovered}`, ...(await look(stack, staying, ended))]);
    await Promise.allSettled(staying.map((publisher) => publisher.stop()));
    const header = [
      'after s',
      'sessions',
      'ended early',
      'unsearched',
      'late ms, median',
      'latest',
    ];
    return [table(header, rows), ...new Set(ended)].join('\n');
  } finally {
    await stack.stop();
    await rm(media, { recursive: true, force: true });
  }
}

async function look(stack: Stack, publishers: LivePublisher[], ended: string[]): Promise<string[]> {
  const stats = await Promise.all(publishers.map(({ sessionId }) => statsOf(stack, sessionId)));
  const sum = (of: (each: (typeof stats)[number]) => number) =>
    stats.reduce((all, each) => all + of(each), 0);
  const unsearched =
    sum(({ framesUndetected }) => framesUndetected) / sum((each) => each.framesOut);
  const late = stats.map(({ lateMs }) => lateMs);
  return [
    ...[`${publishers.length}`, `${ended.length}`, `${(100 * unsearched).toFixed(0)} %`],
    ...[quantile(late, 0.5).toFixed(0), quantile(late, 1).toFixed(0)],
  ];
}

/** After how many seconds all are in time, or that they are not within `RECOVERY_SECONDS`. */
async function recovery(stack: Stack, publishers: LivePublisher[]): Promise<string> {
  for (let seconds = 1; seconds <= RECOVERY_SECONDS; seconds++) {
    await after(1000);
    const stats = await Promise.all(publishers.map(({ sessionId }) => statsOf(stack, sessionId)));
    if (stats.every(({ lateMs }) => lateMs < IN_TIME_MS)) return `${seconds} s`;
  }
  return `more than ${RECOVERY_SECONDS} s`;
}
