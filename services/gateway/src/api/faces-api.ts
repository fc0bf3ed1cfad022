import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deferred } from '@facecast/shared/runtime/deferred';
import type { SessionState } from '@facecast/shared/protocol/ingest-protocol';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { HttpError } from '../errors.js';
import type { Audit } from '../access/audit.js';
import type { SessionAccess } from '../access/session-access.js';
import type { WithheldRecordings } from '../access/withheld-recordings.js';
import type { Recordings } from '../media/recordings.js';
import type { SessionEvents } from '../sessions/session-events.js';
import { viewerOf } from '../sessions/viewers.js';
import { FaceTimeline } from './face-timeline.js';
import type { SessionStats } from './session-stats.js';

/** Maximum number of clients that follow a timeline at once. */
const MAX_FOLLOWERS = 200;
/** Time between two looks without an event, in milliseconds, because an event may be lost. */
const LOOK_MS = 5_000;

const frame = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

const querySchema = z.object({
  from: frame.default(0),
  to: frame.default(Number.MAX_SAFE_INTEGER),
  follow: z
    .enum(['0', '1'])
    .default('0')
    .transform((flag) => flag === '1'),
});

/** What the faces API works with. */
export interface FacesDeps {
  hlsDir: string;
  registry: SessionRegistry;
  stats: SessionStats;
  events: SessionEvents;
  recordings: Recordings;
  access: SessionAccess;
  withheld: WithheldRecordings;
  audit: Audit;
  /** How many proxies in front are believed. */
  trustProxy: number;
  /** Aborted when the gateway stops. */
  closing: AbortSignal;
}

/** `GET /api/sessions/<id>/faces`: the session's face timeline, as it is or as it grows. */
export function facesHandler(deps: FacesDeps): RequestHandler<{ sessionId: string }> {
  let followers = 0;
  return async (request, response) => {
    const query = querySchema.safeParse(request.query);
    if (!query.success) throw new HttpError(400, 'from and to are frames; follow is 0 or 1.');
    const admission = await deps.access.enter(request, response, request.params.sessionId);
    const { sessionId, subject } = admission;
    const state = (await deps.stats.of(sessionId))?.state;
    if (state === undefined) throw new HttpError(404, 'There is no such session.');
    if (state === 'ended') await deps.withheld.enter(request, response, sessionId);
    const follows = query.data.follow && state !== 'ended';
    if (follows && followers >= MAX_FOLLOWERS) throw new HttpError(503, 'Too many follow already.');
    const timeline = new FaceTimeline(await timelinePath(deps, sessionId, state), query.data);
    deps.audit.viewed(viewerOf(request, deps.trustProxy), sessionId, subject, 'read faces');
    response.setHeader('Content-Type', 'application/x-ndjson');
    response.flushHeaders();
    const news = follows ? new TimelineNews(deps, sessionId, response) : undefined;
    followers += follows ? 1 : 0;
    try {
      const lines = request.method === 'HEAD' ? [] : linesOf(timeline, news);
      // A client stops following by closing the connection, which is no error.
      await pipeline(Readable.from(lines), response).catch(() => {});
    } finally {
      followers -= follows ? 1 : 0;
      news?.close();
      await timeline.close();
    }
  };
}

/** Path of the timeline: beside the live playlist, or, once that is removed, beside the recording. */
async function timelinePath(
  { hlsDir, recordings }: FacesDeps,
  sessionId: string,
  state: SessionState,
): Promise<string> {
  const live = join(hlsDir, sessionId, 'faces.ndjson');
  const isLeft = state !== 'ended' || (await exists(live));
  return isLeft ? live : recordings.facesPath(sessionId);
}

/** Yields the timeline's lines, then new ones, until there is no more news or the range is over. */
async function* linesOf(timeline: FaceTimeline, news?: TimelineNews): AsyncGenerator<string> {
  yield* timeline.read();
  let goesOn = news !== undefined;
  while (news && goesOn && !timeline.isAtEnd) {
    goesOn = await news.next();
    yield* timeline.read();
  }
}

/** Tells when a session's timeline may have grown, until the session has ended or the client has left. */
class TimelineNews {
  private isNew = false;
  private isFinished = false;
  private wake: (() => void) | undefined;
  private readonly stopListening: () => void;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly deps: FacesDeps,
    private readonly sessionId: string,
    response: Response,
  ) {
    this.stopListening = deps.events.on(sessionId, ({ type }) => {
      if (type === 'part') this.tell();
      if (type === 'ended' || type === 'deleted') this.finish();
    });
    this.timer = setInterval(() => void this.look(), LOOK_MS);
    response.once('close', this.finish);
    deps.closing.addEventListener('abort', this.finish);
    if (deps.closing.aborted) this.finish();
  }

  /** Resolves when there is news; to false if it is the last. */
  async next(): Promise<boolean> {
    if (!this.isNew && !this.isFinished) {
      const { promise, resolve } = deferred();
      this.wake = resolve;
      await promise;
    }
    this.isNew = false;
    return !this.isFinished;
  }

  close(): void {
    this.stopListening();
    clearInterval(this.timer);
    this.deps.closing.removeEventListener('abort', this.finish);
  }

  private tell(): void {
    this.isNew = true;
    this.wake?.();
  }

  private readonly finish = () => {
    this.isFinished = true;
    this.wake?.();
  };

  private async look(): Promise<void> {
    try {
      if (await this.deps.registry.get(this.sessionId)) this.tell();
      else this.finish();
    } catch {
      // Without Redis there is no news; the next look may succeed.
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
