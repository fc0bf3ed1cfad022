import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { FAULTS, type Fault } from '../faults/kinds.js';
import { soundingClip } from '../support/clips.js';
import { startLive, type LiveSession } from '../support/live-session.js';
import { startStack, type Stack } from '../support/stack.js';
import { quantile, table } from './tables.js';
import { lagsOf } from './lags.js';

const CLIP_SECONDS = 75;
/** How often a detector is killed, in a minute. */
const KILLS = 10;
const BETWEEN_KILLS_MS = 6_000;
/** How long a session is watched after its fault. */
const AFTER_MS = 8_000;

/** What a viewer of a live session sees of each fault. */
export async function benchFaults(): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'facecast-faults-'));
  const path = join(media, 'marked.webm');
  await soundingClip(path, CLIP_SECONDS);
  const webm = await readFile(path);
  const stack = await startStack({ DETECTOR_REPLICAS: '2' });
  try {
    const rows: string[][] = [];
    for (const [name, fault] of Object.entries(FAULTS)) {
      const times = name === 'a detector is killed' ? KILLS : 1;
      rows.push([name, `${times}`, ...(await measure(stack, webm, fault, times))]);
    }
    const header = ['fault', 'times', 'frames', 'lost', 'longest pause ms'];
    return table([...header, 'in time again after ms', 'p95 latency before and 2 s after'], rows);
  } finally {
    await stack.stop();
    await rm(media, { recursive: true, force: true });
  }
}

async function measure(stack: Stack, webm: Buffer, fault: Fault, times: number) {
  const session = await startLive(stack, webm);
  await after(3_000);
  const moments: number[] = [];
  for (let n = 0; n < times; n++) {
    moments.push(performance.now());
    await fault(stack);
    await after(times > 1 ? BETWEEN_KILLS_MS : AFTER_MS);
  }
  const frames = await session.end();
  return [String(frames), String(await lostOf(session, frames)), ...describe(session, moments)];
}

/** Frames that did not come once and in their place. */
async function lostOf({ viewer }: LiveSession, frames: number): Promise<number> {
  const shown = (await viewer.watched()).frames;
  return Array.from({ length: frames }, (_, n) => n).filter((n) => shown[n]?.number !== n).length;
}

function describe({ viewer }: LiveSession, moments: number[]): string[] {
  const lags = lagsOf(viewer.arrivals);
  const [first = 0] = moments;
  const usual = quantile(
    lags.filter(({ at }) => at < first).map(({ lag }) => lag),
    0.95,
  );
  const each = moments.map((moment, n) => {
    const until = moments[n + 1] ?? Infinity;
    return lags.filter(({ at }) => at >= moment && at < until);
  });
  const pauses = each.map((some) => Math.max(...some.map(({ pause }) => pause)));
  const backs = each.map((some, n) => {
    const late = some.findLast(({ lag }) => lag > usual + LATE_MS);
    return late ? late.at - (moments[n] ?? 0) : 0;
  });
  const later = each.flatMap((some, n) => some.filter(({ at }) => at > (moments[n] ?? 0) + 2_000));
  const p95 = quantile(
    later.map(({ lag }) => lag),
    0.95,
  );
  return [
    Math.max(...pauses).toFixed(0),
    Math.max(...backs).toFixed(0),
    `${usual.toFixed(0)}, ${p95.toFixed(0)} ms`,
  ];
}

/** A part that comes so much later than parts did before the fault is late. */
const LATE_MS = 100;
