import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ChunkStore } from './chunks.js';
import { deferred } from '../runtime/deferred.js';
import {
  EventSubscription,
  EVENTS_CHANNEL,
  publishEvent,
  type FacecastEvent,
} from '../protocol/events.js';
import {
  RenderedBatchLog,
  RenderedBatchLogReader,
  type LoggedEntry,
} from './rendered-batch-log.js';
import type { RenderedEntry, NamedChunk } from '../protocol/messages.js';
import { consume, JobQueue } from './queues.js';
import { connectRedis, warnUnlessOutage } from './redis.js';
import { isResumeToken } from './session.js';
import { SessionRegistry, TooManySessionsError } from './session-registry.js';
import { redisUrl } from '../testing/worker-redis.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const log = pino({ level: 'silent' });

beforeEach(() => redis.flushall());
afterAll(() => redis.quit());

const named = (n: number): NamedChunk => ({ kind: 'chunk', n, receivedAt: 1 });

describe('chunks', () => {
  test('bytes come back as they were; they expire by themselves, but not if a clock skips an hour', async () => {
    const chunks = new ChunkStore(redis);
    const sessions = new SessionRegistry(redis);
    const { id } = (await sessions.create({ mimeType: 'video/webm', effect: 'box' }, 1)).session;
    await sessions.storeChunks(id, 0, [named(0)], [Buffer.from([0, 255, 128])]);
    expect(await chunks.read(id, 0)).toEqual(Buffer.from([0, 255, 128]));
    expect(await redis.ttl(`facecast:chunk:${id}:0`)).toBeGreaterThan(3_600);
    await chunks.remove(id, 0, 1);
    expect(await chunks.read(id, 0)).toBeUndefined();
  });
});

describe('queues', () => {
  test('jobs of one queue come in the order they were added', async () => {
    const address = { kind: 'chunks', sessionId: 's' } as const;
    const queue = new JobQueue<'chunks'>(redis, address);
    for (let n = 0; n < 50; n++) await queue.add({ kind: 'chunk', n, receivedAt: n });
    const seen: number[] = [];
    const done = deferred<void>();
    const worker = consume<'chunks'>(redis, address, async (job) => {
      if (job.kind === 'chunk') seen.push(job.n);
      if (seen.length === 50) done.resolve();
    });
    await done.promise;
    await worker.close();
    expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => n));
    await queue.obliterate();
    await queue.close();
    expect(await redis.keys('facecast:queue:chunks-s:*')).toEqual([]);
  });

  test('may be removed by several at the same time', async () => {
    const address = { kind: 'chunks', sessionId: 's' } as const;
    const queue = new JobQueue<'chunks'>(redis, address);
    for (let round = 0; round < 20; round++) {
      await queue.add({ kind: 'end' });
      await Promise.all([queue.obliterate(), queue.obliterate(), queue.obliterate()]);
      expect(await redis.keys('facecast:queue:chunks-s:*')).toEqual([]);
    }
    await queue.close();
  });

  test('a job that does not match the schema fails, and the next one is done', async () => {
    const queue = new JobQueue<'decode'>(redis, { kind: 'decode' });
    const failed = deferred<string>();
    const done = deferred<string>();
    const worker = consume<'decode'>(redis, { kind: 'decode' }, async ({ sessionId }) =>
      done.resolve(sessionId),
    );
    worker.on('failed', (_job, error) => failed.resolve(error.message));
    await queue.add({} as never);
    await queue.add({ sessionId: 'good' });
    expect(await failed.promise).toContain('sessionId');
    expect(await done.promise).toBe('good');
    await worker.close();
    await queue.close();
  });

  test('a queue knows whether anybody consumes it', async () => {
    const queue = new JobQueue<'segment'>(redis, { kind: 'segment' });
    expect(await queue.workers()).toBe(0);
    const worker = consume<'segment'>(redis, { kind: 'segment' }, async () => {});
    await worker.waitUntilReady();
    expect(await queue.workers()).toBe(1);
    await worker.close();
    await queue.close();
  });
});

describe('events', () => {
  test('an event reaches every listener as it was published', async () => {
    const subscription = await EventSubscription.open(redis, log);
    const received = deferred<FacecastEvent>();
    subscription.on(received.resolve);
    const event: FacecastEvent = { type: 'part', sessionId: 's', msn: 3, part: 1, batches: 32 };
    await publishEvent(redis, event);
    expect(await received.promise).toEqual(event);
    await subscription.close();
  });

  test('messages of strangers on the channel do no harm', async () => {
    const subscription = await EventSubscription.open(redis, log);
    const received = deferred<FacecastEvent>();
    subscription.on(received.resolve);
    await redis.publish(EVENTS_CHANNEL, 'not json');
    await redis.publish(EVENTS_CHANNEL, '{"type":"unheard of"}');
    await publishEvent(redis, { type: 'effect', sessionId: 's', effect: 'blur' });
    expect((await received.promise).type).toBe('effect');
    await subscription.close();
  });
});

describe('sessions', () => {
  const sessions = new SessionRegistry(redis);
  const wanted = { mimeType: 'video/webm', effect: 'box' } as const;

  test('a session exists from its start to its end, and leaves nothing', async () => {
    const { session } = await sessions.create(wanted, 1);
    expect(await sessions.get(session.id)).toEqual(session);
    expect(await sessions.ids()).toEqual([session.id]);
    await sessions.publisherSeen(session.id, 15);
    expect(await sessions.publisherExpected(session.id)).toBe(true);
    await sessions.remove(session.id);
    expect(await redis.keys('*')).toEqual([]);
  });

  test('MAX_SESSIONS holds, however many ask at once', async () => {
    const asked = await Promise.allSettled(
      Array.from({ length: 10 }, () => sessions.create(wanted, 3)),
    );
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const refused = asked.find((result) => result.status === 'rejected');
    expect(refused?.reason).toBeInstanceOf(TooManySessionsError);
  });

  test('a change to a session that is over does not bring it back', async () => {
    const { session } = await sessions.create(wanted, 1);
    expect(await sessions.update(session.id, { effect: 'blur' })).toBe(true);
    expect((await sessions.get(session.id))?.effect).toBe('blur');
    await sessions.remove(session.id);
    expect(await sessions.update(session.id, { effect: 'none' })).toBe(false);
    expect(await sessions.get(session.id)).toBeUndefined();
  });

  test('chunks are stored only for the newest connection of the publisher, all or none', async () => {
    const { id } = (await sessions.create(wanted, 1)).session;
    const bytes = (n: number) => redis.get(`facecast:chunk:${id}:${n}`);
    const store = (connection: number, n: number, text: string) =>
      sessions.storeChunks(
        id,
        connection,
        [named(n), named(n + 1)],
        [Buffer.from(text), Buffer.from(`${text}!`)],
      );
    expect(await store(0, 0, 'old')).toBe('stored');
    expect(await sessions.takeOver(id)).toMatchObject({
      connection: 1,
      chunks: 2,
      newest: [named(0), named(1)],
    });
    expect(await store(0, 1, 'stale')).toBe('taken over');
    expect([await bytes(1), await bytes(2)]).toEqual(['old!', null]);
    expect([await sessions.whose(id, 0), await sessions.whose(id, 1)]).toEqual([
      'taken over',
      'ours',
    ]);
    expect(await store(1, 2, 'new')).toBe('stored');
    expect(await sessions.get(id)).toMatchObject({ chunks: 4, connection: 1 });
    await sessions.remove(id);
    expect(await store(1, 4, 'late')).toBe('over');
    expect(await sessions.whose(id, 1)).toBe('over');
    expect(await bytes(4)).toBeNull();
    expect(await sessions.takeOver(id)).toBeUndefined();
  });

  test('a new connection is told only of the newest chunks: those before them are queued', async () => {
    const { id } = (await sessions.create(wanted, 1)).session;
    expect(await sessions.takeOver(id)).toMatchObject({ chunks: 0, newest: [] });
    await sessions.storeChunks(id, 1, [named(0)], [Buffer.from('a')]);
    await sessions.storeChunks(id, 1, [named(1)], [Buffer.from('b')]);
    expect(await sessions.takeOver(id)).toMatchObject({ chunks: 2, newest: [named(1)] });
  });

  test('only the one who started a session has its resume token', async () => {
    const { session, resumeToken } = await sessions.create(wanted, 1);
    expect(isResumeToken(session, resumeToken)).toBe(true);
    expect(isResumeToken(session, 'a guess')).toBe(false);
    expect(JSON.stringify(await redis.hgetall(`facecast:session:${session.id}`))).not.toContain(
      resumeToken,
    );
  });
});

test('a Redis that goes and comes back is logged in one line each, without a stack', async () => {
  const lines: Record<string, unknown>[] = [];
  const back = deferred<void>();
  const write = (line: string) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
    if (lines.length === 2) back.resolve();
  };
  const connection = connectRedis(redisUrl, 'worker', pino({ level: 'info' }, { write }));
  await connection.ping();
  for (const cause of ['read ECONNRESET', 'connect ECONNREFUSED'])
    connection.emit('error', new Error(cause));
  connection.disconnect(true);
  await back.promise;
  expect(lines).toMatchObject([
    { level: 40, msg: 'lost Redis', cause: 'read ECONNRESET' },
    { level: 40, msg: 'Redis is back' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('stack');
  connection.disconnect();
});

test('an error of an operation is logged, but an outage of Redis only by its connection', () => {
  const told: string[] = [];
  const logger = pino(
    { level: 'info' },
    { write: (line) => void told.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  for (const error of [refused, new Error('Connection is closed.'), new Error('LOADING dataset')])
    warnUnlessOutage(logger, error, 'left out');
  warnUnlessOutage(logger, new Error('OOM command not allowed'), 'told', { sessionId: 's' });
  expect(told).toEqual(['told']);
});

describe('rendered log', () => {
  const marked = new RenderedBatchLog(redis);
  const end = (batches: number): RenderedEntry => ({ kind: 'end', batches, frames: 0 });

  test('a reader gets what was there before it and what comes later, each once', async () => {
    await marked.append('one', end(0));
    const reader = new RenderedBatchLogReader(redis, log);
    const one = collector(3);
    await reader.add('one', one.receive);
    await marked.append('one', end(1));
    await marked.append('one', end(2));
    expect((await one.all).map(batches)).toEqual([0, 1, 2]);
    await reader.close();
  });

  test('a session that is added while the reader waits is heard at once', async () => {
    const reader = new RenderedBatchLogReader(redis, log);
    const one = collector(1);
    const two = collector(1);
    await reader.add('one', one.receive);
    await marked.append('one', end(1));
    await one.all;
    await reader.add('two', two.receive);
    await marked.append('two', end(2));
    expect((await two.all).map(batches)).toEqual([2]);
    await reader.close();
  });

  test('a successor finds what was not removed', async () => {
    for (const n of [0, 1, 2]) await marked.append('one', end(n));
    const first = new RenderedBatchLogReader(redis, log);
    const seen = collector(3);
    await first.add('one', seen.receive);
    const [zero] = await seen.all;
    await marked.remove('one', [zero!.id]);
    await first.close();

    const successor = new RenderedBatchLogReader(redis, log);
    const rest = collector(2);
    await successor.add('one', rest.receive);
    expect((await rest.all).map(batches)).toEqual([1, 2]);
    await successor.close();
    expect(await redis.ttl('facecast:marked:one')).toBeGreaterThan(3_600);
    await marked.removeSession('one');
    expect(await redis.exists('facecast:marked:one')).toBe(0);
  });

  function collector(count: number) {
    const entries: LoggedEntry[] = [];
    const all = deferred<LoggedEntry[]>();
    const receive = (more: LoggedEntry[]) => {
      entries.push(...more);
      if (entries.length >= count) all.resolve(entries);
    };
    return { receive, all: all.promise };
  }
  const batches = ({ entry }: LoggedEntry) => entry.kind === 'end' && entry.batches;
});
