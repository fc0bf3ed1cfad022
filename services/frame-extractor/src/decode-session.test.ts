import { HeldLease, LeaseLostError } from '@facecast/shared/lease/lease';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { beforeEachCommand, SteppedRedis } from '@facecast/shared/testing/stepped-redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeSession } from './decode-session.js';
import { countedClip, cut, SMALL, VP8_WEBM } from './testing/counted-clips.js';
import { log, Surroundings, upTo, type TestSession } from './testing/surroundings.js';

const FRAMES = 12;

const redis = connectRedis(redisUrl, 'worker', log);
let around: Surroundings;
let clip: Buffer;

beforeAll(async () => {
  await redis.flushall();
  clip = await countedClip(FRAMES, [...VP8_WEBM, '-g', '6'], SMALL);
  around = await Surroundings.start(redis);
  // Owners are started one by one.
  await around.extractor.close();
});
afterAll(async () => {
  await around.close();
  await redis.quit();
});

/** Owns the session as the stage does. Its lock is its for as long as nobody else has owned the session. */
async function own(connection: Redis, sessionId: string): Promise<HeldLease> {
  const extendLock = async () =>
    Number((await connection.hget(lease.key, 'epoch')) === `${lease.epoch}`);
  const lease: HeldLease = new HeldLease(sessionId, {
    ...{ redis: connection, queue: 'decode', token: 'token', onProgress: () => {} },
    job: { extendLock },
    lockMs: 0,
  });
  await lease.begin();
  return lease;
}

/** The number that each dispatched frame shows; a batch may come again, and shows the same. */
function shown({ jobs, numbers }: TestSession): number[] {
  const byFrame = new Map<number, number>();
  jobs.forEach(({ firstFrame }, at) => {
    for (const n of upTo(3)) byFrame.set(firstFrame + n, numbers[3 * at + n]!);
  });
  return [...byFrame].sort(([a], [b]) => a - b).map(([, number]) => number);
}

/** Never resolves; rejects if the work fails. */
const failureOf = (work: Promise<void>) => work.then(() => new Promise<never>(() => {}));

/**
 * Lets something happen to a session's owner before one of its commands, and another finish the session.
 * Answers whether the owner had so many commands.
 */
async function handOver(
  step: number,
  how: 'dies' | 'is told to stop' | 'freezes',
): Promise<boolean> {
  const session = await around.register();
  await session.send(cut(clip, clip.length / 3));
  await session.stop();
  const stepped = new SteppedRedis(redisUrl, step, (connection) => {
    if (how === 'is told to stop') lease.abort('told to stop');
    else connection.freeze();
  });
  const lease = await own(stepped.redis, session.id);
  const first = await around.deps(stepped.redis);
  stepped.arm();
  const outcome = decodeSession(lease, first).then(
    () => 'ended',
    (error: unknown) => error,
  );
  const isReached = await Promise.race([
    stepped.reached.then(() => true),
    Promise.all([session.end(), around.until(() => shown(session).length === FRAMES)]).then(
      () => stepped.commands > step,
    ),
  ]);
  // What is to happen does so now, or not at all.
  stepped.disarm();
  if (how === 'is told to stop' && isReached) await outcome;

  const second = await around.deps(redis);
  const heir = await own(redis, session.id);
  const continued = decodeSession(heir, second);
  if (how === 'freezes') stepped.wake();
  const end = await Promise.race([session.end(), failureOf(continued)]);
  expect(end).toEqual({ kind: 'end', batches: FRAMES / 3, frames: FRAMES });
  await around.until(() => shown(session).length === FRAMES);
  expect(shown(session), `${how} before command ${step}`).toEqual(upTo(FRAMES));

  await around.forget(session);
  await continued;
  heir.release();
  if (how === 'freezes') {
    const end = await outcome;
    // Anything else would have the stage end what the successor does well.
    const isQuiet = end === 'ended' || end instanceof LeaseLostError || lease.signal.aborted;
    expect(isQuiet, `step ${step}: ${String(end)}`).toBe(true);
  }
  lease.abort('over');
  stepped.wake();
  await outcome;
  lease.release();
  for (const { events, detect } of [first, second]) {
    await events.close();
    await detect.close();
  }
  stepped.close();
  return isReached;
}

describe('every batch is dispatched where an owner', () => {
  test.each(['dies', 'is told to stop', 'freezes'] as const)(
    '%s before any of its commands',
    async (how) => {
      const begun = await beforeEachCommand((step) => handOver(step, how));
      // Each batch has commands of its own, and so has each chunk.
      expect(begun).toBeGreaterThan((FRAMES / 3) * 5);
    },
  );
});
