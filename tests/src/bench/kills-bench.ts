import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULTS, running, SERVICES, type Fault } from '../faults/kinds.js';
import { liveOf, makeSoundingClip, type SoundingClip } from '../faults/live-marked.js';
import { signal } from '../support/processes.js';
import { startStack, type Stack } from '../support/stack.js';
import { table } from './tables.js';

/** How often each fault happens. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 50);
/** Number of faults in one session. */
const ROUNDS_A_SESSION = 10;
/** Longer than a session with all its faults takes on one core, in seconds. */
const CLIP_SECONDS = 240;
/** Parts that viewers get between two faults: `npm start` gives up a process that dies again and again before 2.5 s. */
const PARTS = 30;

/** The faults, and a rolling update: SIGTERM to each service in turn. */
const KINDS: Record<string, Fault> = {
  ...FAULTS,
  ...Object.fromEntries(SERVICES.map((service) => [`${service}: SIGTERM`, terminated(service)])),
};

/**
 * Every kind of fault `KILL_ROUNDS` times (default 50), ten in a session, each once the session goes on after the
 * one before. Tells whether every frame came once and in order, with all of the sound.
 */
export async function benchKills(): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'facecast-kills-'));
  const clip = await makeSoundingClip(join(media, 'marked.webm'), CLIP_SECONDS);
  const stack = await startStack({ DETECTOR_REPLICAS: '2' });
  try {
    const rows: string[][] = [];
    for (const [name, fault] of Object.entries(KINDS)) {
      const row = await measure(stack, clip, fault);
      rows.push([name, ...row]);
      console.error(`${name}: ${row.join(', ')}`);
    }
    return table(['fault', 'times', 'sessions', 'frames', 'not whole'], rows);
  } finally {
    await stack.stop();
    await rm(media, { recursive: true, force: true });
  }
}

async function measure(stack: Stack, clip: SoundingClip, fault: Fault): Promise<string[]> {
  const problems: string[] = [];
  let [times, sessions, frames] = [0, 0, 0];
  for (; times < ROUNDS; sessions++) {
    const session = await liveOf(stack, clip);
    const until = Math.min(ROUNDS, times + ROUNDS_A_SESSION);
    try {
      for (; times < until; times++) {
        await fault(stack);
        await Promise.race([session.viewer.parts(PARTS), session.publisher.refused()]);
      }
      frames += (await session.endsWhole()).frames.length;
    } catch (error) {
      times = until;
      session.viewer.leave();
      problems.push((error as Error).message);
    }
  }
  const wrong = problems.length === 0 ? '0' : `${problems.length}: ${problems.join(' / ')}`;
  return [`${times}`, `${sessions}`, `${frames}`, wrong];
}

function terminated(service: (typeof SERVICES)[number]): Fault {
  return async (stack) => signal((await running(stack, service)).slice(0, 1), 'SIGTERM');
}
