import { Queue, WaitingError, Worker, type Job, type JobState, type WorkerOptions } from 'bullmq';
import type { z } from 'zod';
import { chunkJobSchema, sessionJobSchema, detectJobSchema } from '../protocol/messages.js';
import { KEY_PREFIX, LOST_LOCK, type Redis } from './redis.js';

/** BullMQ's keys are `facecast:queue:<queue>:…`. */
export const QUEUE_PREFIX = `${KEY_PREFIX}:queue`;

/**
 * How long a job's lock lasts without renewal, in milliseconds. With `STALLED_CHECK_MS` it bounds the
 * fail-over of a killed process; nothing may block an event loop for this long.
 */
export const LOCK_MS = 1_500;
/** How often expired locks are looked for, in milliseconds. */
export const STALLED_CHECK_MS = 750;

/** Attempts to remove a queue: gateway, frame-extractor and segmenter may do it at the same time. */
const MAX_REMOVALS = 5;

/** Errors of a Redis that refuses writes: its log or memory is full, or it is a replica. */
const REFUSES_WRITES = /^(MISCONF|OOM|READONLY|NOREPLICAS) /;
/** How long a worker pauses after Redis refused a write, in milliseconds. */
const REFUSED_PAUSE_MS = 1_000;

/** Number of failed jobs that are kept, for people who look for the cause. */
const KEPT_FAILED_JOBS = 100;
/** Number of entries kept in BullMQ's event streams, which nothing here reads. */
const KEPT_EVENTS = 100;

/** All queues, each with the schema of its jobs. */
const catalog = {
  /** One job a session: its lock is the lease to decode it. */
  decode: sessionJobSchema,
  /** One job a session: its lock is the lease to segment it. */
  segment: sessionJobSchema,
  /** One job a batch, for any detector. */
  detect: detectJobSchema,
  /** One queue a session, in order, for the owner of its `decode` lease. */
  chunks: chunkJobSchema,
  /** One job for each recording that is to be edited; the order is in the recording's folder. */
  edit: sessionJobSchema,
} as const;

export type QueueKind = keyof typeof catalog;
export type JobOf<Kind extends QueueKind> = z.infer<(typeof catalog)[Kind]>;
/** The queues whose jobs' locks are leases on sessions. */
export type LeaseQueue = 'decode' | 'segment';

/** Id of a batch's job in `detect`, by which others find it. */
export function detectJobId({ sessionId, batch }: { sessionId: string; batch: number }): string {
  return `${sessionId}.${batch}`;
}

/** Id of the job in `chunks` for chunk `n`. */
export function chunkJobId(n: number): string {
  return `c${n}`;
}

/** Which queue: a kind, and for `chunks` also whose. */
export type QueueAddress<Kind extends QueueKind> = Kind extends 'chunks'
  ? { kind: Kind; sessionId: string }
  : { kind: Kind };

/** The sending end of a queue. */
export class JobQueue<Kind extends QueueKind> {
  private readonly queue: Queue;

  constructor(
    redis: Redis,
    private readonly address: QueueAddress<Kind>,
  ) {
    this.queue = new Queue(queueName(address), {
      connection: redis,
      prefix: QUEUE_PREFIX,
      streams: { events: { maxLen: KEPT_EVENTS } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: KEPT_FAILED_JOBS },
    });
    // Commands reject by themselves; without a listener BullMQ would throw again.
    this.queue.on('error', () => {});
  }

  /**
   * Adds a job; with an id, only if the queue has none of that id.
   * @param options.attempts how often it may be tried; 1 unless set
   * @param options.first before all that wait
   */
  async add(
    data: JobOf<Kind>,
    options: { jobId?: string; attempts?: number; first?: boolean } = {},
  ): Promise<void> {
    const { first: lifo, ...others } = options;
    await this.queue.add(this.address.kind, data, { ...others, ...(lifo && { lifo }) });
  }

  /**
   * Resolves to a job that is not done yet. `active`: a consumer has it, or had it when the consumer died.
   */
  async find(
    jobId: string,
  ): Promise<{ data: JobOf<Kind>; state: JobState | 'unknown' } | undefined> {
    const job = (await this.queue.getJob(jobId)) as Job | undefined;
    if (!job) return undefined;
    const data = catalog[this.address.kind].parse(job.data) as JobOf<Kind>;
    return { data, state: await job.getState() };
  }

  /** Removes a job; does nothing if there is none, or a consumer has it. */
  async remove(jobId: string): Promise<void> {
    await this.queue.remove(jobId);
  }

  /** Resolves to the number of jobs that no consumer has taken yet. */
  async waiting(): Promise<number> {
    return this.queue.getWaitingCount();
  }

  /** Resolves to the number of connected consumers. */
  async workers(): Promise<number> {
    return this.queue.getWorkersCount();
  }

  /** Removes the queue with all its jobs; several processes may do so at once. */
  async obliterate(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.queue.obliterate({ force: true });
      } catch (error) {
        // BullMQ pauses the queue first, and a faster process may have removed the pause.
        const isRace = (error as Error).message.includes('non-paused');
        if (!isRace || tries === MAX_REMOVALS) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

/**
 * Puts a job back as its queue's next one, without counting a failure; to be called in its handler. Does
 * not touch a job that another consumer has by now.
 * @throws {WaitingError} always: the handler must let it through, for BullMQ
 */
export async function putBack(job: Job, token: string): Promise<never> {
  await job.moveToWait(token).catch((error: unknown) => {
    if (!LOST_LOCK.test((error as Error).message)) throw error;
  });
  throw new WaitingError();
}

/** Handles one job. A rejection fails the job; token and signal are BullMQ's. */
export type JobHandler<Kind extends QueueKind> = (
  data: JobOf<Kind>,
  job: Job,
  token: string,
  signal: AbortSignal,
) => Promise<void>;

/**
 * Starts a consumer of a queue. A job that does not match the queue's schema fails with the reason. `redis`
 * must be a `worker` connection; a second one, for blocking, is made from it.
 */
export function consume<Kind extends QueueKind>(
  redis: Redis,
  address: QueueAddress<Kind>,
  handle: JobHandler<Kind>,
  options: Pick<
    WorkerOptions,
    'concurrency' | 'maxStalledCount' | 'skipLockRenewal' | 'drainDelay'
  > = {},
): Worker {
  const schema = catalog[address.kind];
  const worker = new Worker(
    queueName(address),
    // BullMQ passes the signal only to a function that declares three parameters.
    async (job, token, signal) =>
      handle(
        schema.parse(job.data) as JobOf<Kind>,
        job,
        token ?? '',
        signal ?? new AbortController().signal,
      ),
    {
      connection: redis,
      prefix: QUEUE_PREFIX,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      ...options,
    },
  );
  worker.on('error', (error) => void waitWhereRefused(worker, error));
  return worker;
}

/** Pauses a worker whose Redis refuses writes: BullMQ would retry thousands of times a second. */
async function waitWhereRefused(worker: Worker, { message }: Error): Promise<void> {
  if (!REFUSES_WRITES.test(message) || worker.isPaused()) return;
  setTimeout(() => {
    if (worker.closing === undefined) void worker.resume();
  }, REFUSED_PAUSE_MS).unref();
  // Jobs that are being handled go on.
  await worker.pause(true);
}

function queueName(address: { kind: QueueKind; sessionId?: string }): string {
  return address.sessionId === undefined ? address.kind : `${address.kind}-${address.sessionId}`;
}
