import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  present,
  processesOf,
  processesUnder,
  signal,
  type Process,
} from '../support/processes.js';
import { startReplica, type Replica } from '../support/replica.js';
import { startStack, type Stack } from '../support/stack.js';
import { liveOf, makeSoundingClip, type SoundingClip } from './live-marked.js';

/** How often an owner is frozen in each session. */
const TIMES = 3;
const STATEFUL = ['frame-extractor', 'segmenter'];

let stack: Stack;
let media: string;
let clip: SoundingClip;
const replicas: Record<string, Replica> = {};

beforeAll(async () => {
  media = await mkdtemp(join(tmpdir(), 'facecast-frozen-'));
  // A clip that is longer than any of these sessions.
  clip = await makeSoundingClip(join(media, 'marked.webm'), 60);
  stack = await startStack();
  for (const service of STATEFUL)
    replicas[service] = await startReplica(stack, `services/${service}`);
});

afterAll(async () => {
  for (const replica of Object.values(replicas)) await replica.stop();
  await stack?.stop();
  await rm(media, { recursive: true, force: true });
});

/** Both replicas of a service. */
async function replicasOf(service: string): Promise<Process[]> {
  const [own] = await present(() => processesOf(stack, `services/${service}`));
  return [own!, { pid: replicas[service]!.pid, parent: process.pid, command: service }];
}

/** The replica that owns the session: it has the ffmpegs. */
async function ownerOf(service: string, except?: Process): Promise<Process> {
  const [owner] = await present(async () => {
    const all = (await replicasOf(service)).filter(({ pid }) => pid !== except?.pid);
    const children = await Promise.all(all.map(({ pid }) => processesUnder(pid)));
    return all.filter((_, at) => children[at]!.length > 0);
  });
  return owner!;
}

describe('an owner that is frozen and wakes beside its successor loses no frame and no audio:', () => {
  test.each(STATEFUL)('%s', async (service) => {
    const { viewer, endsWhole } = await liveOf(stack, clip);
    for (let times = 0; times < TIMES; times++) {
      const owner = await ownerOf(service);
      signal([owner], 'SIGSTOP');
      await ownerOf(service, owner);
      // The successor works and lists parts.
      await viewer.parts(5);
      signal([owner], 'SIGCONT');
      await viewer.parts(10);
    }
    await endsWhole();
    expect(viewer.complaints).toEqual([]);
  });
});
