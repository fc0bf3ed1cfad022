import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { faceClip } from '../support/clips.js';
import { cpuSeconds, processesOf } from '../support/processes.js';
import { startPush } from '../support/push.js';
import { startStack, type Stack } from '../support/stack.js';
import { statsOf } from '../support/session-api.js';
import { table } from './tables.js';
import { Viewer } from './viewer.js';

const SECONDS = 15;
const VIEWERS = [0, 20, 100, 400, 600, 800];

/** What viewers cost the gateway, and whether the publisher feels them. */
export async function benchViewers(): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'facecast-viewers-'));
  const clip = join(media, 'face.webm');
  await faceClip(clip, 10);
  const stack = await startStack();
  const push = await startPush(stack, clip, { loop: true });
  try {
    const rows: string[][] = [];
    for (const count of VIEWERS) rows.push(await measure(stack, push.sessionId, count));
    const header = [
      'viewers',
      'gateway % of a core',
      'parts a second',
      'bad answers',
      'pipeline ms',
      'their own % of a core',
    ];
    return table(header, rows);
  } finally {
    await push.stop();
    await stack.stop();
    await rm(media, { recursive: true, force: true });
  }
}

async function measure(stack: Stack, sessionId: string, count: number): Promise<string[]> {
  const leaving = new AbortController();
  const viewers = Array.from({ length: count }, () => new Viewer(stack.url, sessionId));
  const watching = viewers.map((viewer) => viewer.watch(leaving.signal));
  const gateway = (await processesOf(stack, 'services/gateway'))[0]!.pid;
  await after(3_000);
  const before = {
    ...{ cpu: await cpuSeconds(gateway), own: ownCpuSeconds() },
    ...{ at: performance.now(), parts: sum(viewers) },
  };
  await after(SECONDS * 1_000);
  const seconds = (performance.now() - before.at) / 1_000;
  const cpu = (await cpuSeconds(gateway)) - before.cpu;
  const own = ownCpuSeconds() - before.own;
  const parts = sum(viewers) - before.parts;
  const { pipelineMs } = await statsOf(stack, sessionId);
  leaving.abort();
  await Promise.all(watching);
  const bad = viewers.reduce((all, viewer) => all + viewer.badAnswers, 0);
  return [
    count,
    ((100 * cpu) / seconds).toFixed(1),
    (parts / seconds).toFixed(0),
    bad,
    pipelineMs,
    // Near 100 it is the viewers that can do no more, in their one thread.
    ((100 * own) / seconds).toFixed(0),
  ].map(String);
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const sum = (viewers: Viewer[]) => viewers.reduce((all, { parts }) => all + parts, 0);
