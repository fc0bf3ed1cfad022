import { EventEmitter, once } from 'node:events';
import { setImmediate as otherWork } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { deferred } from '../runtime/deferred.js';
import { JobQueue } from '../redis/queues.js';
import type { Lease } from './lease.js';
import { SessionStage, type SessionWork } from './session-stage.js';
import { redisUrl } from '../testing/worker-redis.js';
import { startOwner } from '../testing/owner-process.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const leaseJobs = new JobQueue<'decode'>(redis, { kind: 'decode' });
const log = pino({ level: 'silent' });

beforeEach(() => redis.flushall());
afterAll(async () => {
  await leaseJobs.close();
  await redis.quit();
});

const stage = (
  work: SessionWork,
  end: (lease: Lease, verdict: string) => Promise<void> = async () => {},
) =>
  new SessionStage({
    ...{ queue: 'decode', concurrency: 4, redis, log, work, end },
    verdictOf: ({ message }) => message,
  });

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

test('a session is worked on by one replica only, however often its job is added', async () => {
  const begun: string[] = [];
  const both = deferred();
  const work: SessionWork = async ({ sessionId, signal }) => {
    begun.push(sessionId);
    if (begun.length === 2) both.resolve();
    await untilAborted(signal);
  };
  const replicas = [stage(work), stage(work)];
  for (const sessionId of ['one', 'one', 'two', 'one'])
    await leaseJobs.add({ sessionId }, { jobId: sessionId });
  await both.promise;
  expect(begun.sort()).toEqual(['one', 'two']);
  expect(replicas.reduce((held, replica) => held + replica.size, 0)).toBe(2);
  await Promise.all(replicas.map((replica) => replica.close()));
});

test('one replica holds several sessions at once', async () => {
  const all = deferred<void>();
  const replica = stage(async ({ signal }) => {
    if (replica.size === 3) all.resolve();
    await untilAborted(signal);
  });
  for (const sessionId of ['a', 'b', 'c']) await leaseJobs.add({ sessionId }, { jobId: sessionId });
  await all.promise;
  await replica.close();
});

test('a replica that stops gives its sessions back at once', async () => {
  const first = deferred<void>();
  const leaving = stage(async ({ signal }) => {
    first.resolve();
    await untilAborted(signal);
  });
  await leaseJobs.add({ sessionId: 'one' }, { jobId: 'one' });
  await first.promise;
  const second = deferred<string>();
  const staying = stage(async ({ sessionId }) => second.resolve(sessionId));
  await leaving.close();
  expect(await second.promise).toBe('one');
  await staying.close();
});

test('a replica that stops just as it gets a session gives it back at once, too', async () => {
  const leaving = stage(async ({ signal }) => untilAborted(signal));
  await leaseJobs.add({ sessionId: 'one' }, { jobId: 'one' });
  while (leaving.size === 0) await otherWork();
  await leaving.close();
  expect(await leaseJobs.waiting()).toBe(1);
});

test.each([
  ['goes on at another', async () => {}],
  ['goes on at another, although the clock of Redis was set back by an hour', setClockBack],
])('a session whose owner is killed %s', async (_, happens) => {
  const doomed = await startOwner();
  await leaseJobs.add({ sessionId: 'one' }, { jobId: 'one' });
  await doomed.says('one');
  const taken = deferred<string>();
  const heir = stage(async ({ sessionId }) => taken.resolve(sessionId));
  doomed.kill();
  await happens();
  expect(await taken.promise).toBe('one');
  await heir.close();
});

/** Adds to each expiry the hour by which the clock was set back. */
async function setClockBack() {
  for (const key of ['stalled-check', 'one:lock'])
    await redis.set(`facecast:queue:decode:${key}`, 'set before', 'PX', 3_600_000);
}

test('a session that makes progress outlives any number of owners; one that makes none is ended after three', async () => {
  for (const sessionId of ['moving', 'stuck'])
    await leaseJobs.add({ sessionId }, { jobId: sessionId });
  for (let deaths = 0; deaths < 3; deaths++) {
    const doomed = await startOwner();
    await doomed.says('moving');
    await doomed.says('stuck');
    doomed.kill();
  }
  const fourth = await startOwner();
  await fourth.says('gave stuck up');
  await fourth.says('moving');
  fourth.kill();
  const taken = deferred<string>();
  const heir = stage(async ({ sessionId }) => {
    if (sessionId === 'moving') taken.resolve(sessionId);
  });
  expect(await taken.promise).toBe('moving');
  await heir.close();
});

test('owners whose locks expired while they were frozen do not count as dead, however many', async () => {
  await leaseJobs.add({ sessionId: 'stuck' }, { jobId: 'stuck' });
  for (let frozen = 0; frozen < 4; frozen++) {
    const owner = await startOwner();
    await owner.says('stuck');
    owner.kill('SIGSTOP');
  }
  const taken = deferred<string>();
  const heir = stage(
    async ({ sessionId }) => taken.resolve(sessionId),
    async () => taken.reject(new Error('given up')),
  );
  expect(await taken.promise).toBe('stuck');
  await heir.close();
});

test('an owner that was frozen, and fails when it wakes beside its successor, ends nothing', async () => {
  await leaseJobs.add({ sessionId: 'fragile' }, { jobId: 'fragile' });
  const frozen = await startOwner();
  await frozen.says('fragile');
  frozen.kill('SIGSTOP');
  const taken = deferred();
  const [ended, stopped] = [deferred<string>(), new AbortController()];
  const heir = stage(
    async ({ signal }) => {
      taken.resolve();
      signal.addEventListener('abort', () => stopped.abort());
      await untilAborted(signal);
    },
    async (_, verdict) => ended.resolve(verdict),
  );
  await taken.promise;
  frozen.kill('SIGCONT');
  await frozen.says('released the session fragile');
  expect(frozen.heard('gave fragile up')).toBe(false);
  expect(await redis.hget('facecast:lease:fragile:decode', 'verdict')).toBeNull();
  expect(stopped.signal.aborted).toBe(false);
  await heir.close();
});

test('a session that was given up is ended by another replica if the first one dies', async () => {
  const doomed = await startOwner();
  await leaseJobs.add({ sessionId: 'hopeless' }, { jobId: 'hopeless' });
  await doomed.says('gave hopeless up');
  const ended = deferred<string>();
  const heir = stage(
    async () => {
      throw new Error('no disk');
    },
    async ({ sessionId }) => ended.resolve(sessionId),
  );
  doomed.kill();
  expect(await ended.promise).toBe('hopeless');
  await heir.close();
});

test('a replica that has lost its lease stops its work', async () => {
  const begun = deferred();
  const lost = deferred();
  const replica = stage(async ({ signal }) => {
    begun.resolve();
    await untilAborted(signal);
    lost.resolve();
  });
  await leaseJobs.add({ sessionId: 'one' }, { jobId: 'one' });
  await begun.promise;
  await redis.set('facecast:queue:decode:one:lock', 'somebody else');
  await lost.promise;
  await replica.close();
});

test('a lease that expired and came back to the same replica is worked on once', async () => {
  const begun = new EventEmitter();
  let [works, most] = [0, 0];
  const replica = stage(async (lease) => {
    const { signal } = lease;
    lease.progressed();
    most = Math.max(most, ++works);
    begun.emit('work');
    await untilAborted(signal);
    works--;
  });
  const first = once(begun, 'work');
  await leaseJobs.add({ sessionId: 'one' }, { jobId: 'one' });
  await first;
  for (let times = 0; times < 3; times++) {
    const again = once(begun, 'work');
    await comeBack('one');
    await again;
  }
  expect(most).toBe(1);
  await replica.close();
});

/** Does what an outage and the check for stalled jobs do to a lease: it has no owner, and its job waits. */
async function comeBack(sessionId: string) {
  const queue = 'facecast:queue:decode';
  await redis
    .multi()
    .del(`${queue}:${sessionId}:lock`)
    .lrem(`${queue}:active`, 1, sessionId)
    .lpush(`${queue}:wait`, sessionId)
    .zadd(`${queue}:marker`, 0, '0')
    .exec();
}

test('a session whose work fails is given up, with the reason', async () => {
  const given = deferred<string>();
  const replica = stage(
    async () => {
      throw new Error('no disk');
    },
    async ({ sessionId }, verdict) => given.resolve(`${sessionId}: ${verdict}`),
  );
  await leaseJobs.add({ sessionId: 'one' }, { jobId: 'one' });
  expect(await given.promise).toBe('one: no disk');
  await replica.close();
});
