import { Queue, WaitingError, Worker, type Job, type JobState, type WorkerOptions } from 'bullmq';
import type { z } from 'zod';
import { chunkJobSchema, sessionJobSchema, detectJobSchema } from '../protocol/messages.js';
import { KEY_PREFIX, LOST_LOCK, type Redis } from './redis.js';

/** BullMQ's keys are `facecast:queue:<queue>:…`. */
export const QUEUE_PREFIX = `${KEY_PREFIX}:queue`;

/**
 * How long a dead worker's job stays locked, and how often that is looked for. Together they bound
 * the fail-over of a killed process; nothing may block an event loop for as long as this.
 */
export const LOCK_MS = 1_500;
export const STALLED_CHECK_MS = 750;

/** Gateway, frame-extractor and janitor may remove one queue at the same time. */
const MAX_REMOVALS = 5;

/** What Redis says while it takes no writes: its log or its memory is full, or it follows another. */
const REFUSES_WRITES = /^(MISCONF|OOM|READONLY|NOREPLICAS) /;
/** Until such a Redis is asked for a job again. */
const REFUSED_PAUSE_MS = 1_000;

/** Failed jobs kept for whoever looks for the cause. */
const KEPT_FAILED_JOBS = 100;
/** Entries of BullMQ's own event streams, which nothing here reads. */
const KEPT_EVENTS = 100;

/** All queues, each with the schema of its jobs. */
const catalog = {
  /** One job a session: the claim to decode it. */
  decode: sessionJobSchema,
  /** One job a session: the claim to segment it. */
  segment: sessionJobSchema,
  /** One job a batch, for any detector. */
  detect: detectJobSchema,
  /** One queue a session, in order, for the holder of its `decode` claim. */
  chunks: chunkJobSchema,
} as const;

export type QueueKind = keyof typeof catalog;
export type JobOf<Kind extends QueueKind> = z.infer<(typeof catalog)[Kind]>;
/** The queues that hold a session's claims. */
export type StageQueue = 'decode' | 'segment';

/** Id of the job in `detect` for a batch: whoever misses the batch finds it by that. */
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
    // Commands reject by themselves; without a listener BullMQ would throw a second time.
    this.queue.on('error', () => {});
  }

  /**
   * Adds a job; with an id, only where the queue has none of that id.
   * @param options.attempts how often it may be tried, 1 unless told
   * @param options.first before all that wait
   */
  async add(
    data: JobOf<Kind>,
    options: { jobId?: string; attempts?: number; first?: boolean } = {},
  ): Promise<void> {
    const { first: lifo, ...others } = options;
    await this.queue.add(this.address.kind, data, { ...others, ...(lifo && { lifo }) });
  }

  /** A job that is not done. `active`: a consumer has it, or had it when it died. */
  async find(
    jobId: string,
  ): Promise<{ data: JobOf<Kind>; state: JobState | 'unknown' } | undefined> {
    const job = (await this.queue.getJob(jobId)) as Job | undefined;
    if (!job) return undefined;
    const data = catalog[this.address.kind].parse(job.data) as JobOf<Kind>;
    return { data, state: await job.getState() };
  }

  /** Removes a job; nothing where there is none, or a consumer has it. */
  async remove(jobId: string): Promise<void> {
    await this.queue.remove(jobId);
  }

  /** Jobs that nobody has taken yet. */
  async waiting(): Promise<number> {
    return this.queue.getWaitingCount();
  }

  /** Consumers of the queue that are connected at the moment. */
  async workers(): Promise<number> {
    return this.queue.getWorkersCount();
  }

  /** Removes the queue and all that is in it; others may do the same at the same time. */
  async obliterate(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.queue.obliterate({ force: true });
      } catch (error) {
        // BullMQ pauses the queue before, and whoever was faster has removed that, too.
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
 * Called in a handler: gives the job back unfinished, as the next one in its queue, without counting
 * it as a failure. It throws what tells BullMQ so, and the handler must let that through. A job that is
 * somebody else's by now stays so.
 */
export async function putBack(job: Job, token: string): Promise<never> {
  await job.moveToWait(token).catch((error: unknown) => {
    if (!LOST_LOCK.test((error as Error).message)) throw error;
  });
  throw new WaitingError();
}

/** Handles one job; its token and signal are BullMQ's. Its rejection fails the job. */
export type JobHandler<Kind extends QueueKind> = (
  data: JobOf<Kind>,
  job: Job,
  token: string,
  signal: AbortSignal,
) => Promise<void>;

/**
 * Starts a consumer of a queue. A job that is not of the queue's schema fails with the reason.
 * `redis` must be a `worker` connection; a second one, for blocking, is made from it.
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
    // BullMQ hands the signal only to a function that declares three parameters.
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

/** BullMQ asks a Redis that answers, if only with a refusal, again at once: thousands of times a second. */
async function waitWhereRefused(worker: Worker, { message }: Error): Promise<void> {
  if (!REFUSES_WRITES.test(message) || worker.isPaused()) return;
  setTimeout(() => {
    if (worker.closing === undefined) void worker.resume();
  }, REFUSED_PAUSE_MS).unref();
  // Jobs that are being done go on.
  await worker.pause(true);
}

function queueName(address: { kind: QueueKind; sessionId?: string }): string {
  return address.sessionId === undefined ? address.kind : `${address.kind}-${address.sessionId}`;
}
