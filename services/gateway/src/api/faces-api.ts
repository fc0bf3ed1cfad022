import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deferred } from '@facecast/shared/runtime/deferred';
import type { SessionState } from '@facecast/shared/protocol/ingest-protocol';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { Refusal } from '../errors.js';
import type { SessionAccess } from '../access/session-access.js';
import type { Recordings } from '../media/recordings.js';
import type { SessionEvents } from '../sessions/session-events.js';
import { FaceTimeline } from './face-timeline.js';
import type { SessionStats } from './session-stats.js';

/** Most clients that follow a timeline at once. */
const MAX_FOLLOWERS = 200;
/** A lost event, of the session's end above all, is made up for after this. */
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

/** What the answer is made from. */
export interface FacesParts {
  hlsDir: string;
  registry: SessionRegistry;
  stats: SessionStats;
  events: SessionEvents;
  recordings: Recordings;
  access: SessionAccess;
  /** Aborted when the gateway stops. */
  closing: AbortSignal;
}

/** `GET /api/sessions/<id>/faces`: the session's face timeline, as it is or as it grows. */
export function facesHandler(parts: FacesParts): RequestHandler<{ sessionId: string }> {
  let followers = 0;
  return async (request, response) => {
    const query = querySchema.safeParse(request.query);
    if (!query.success) throw new Refusal(400, 'from and to are frames; follow is 0 or 1.');
    const { sessionId } = await parts.access.enter(request, response, request.params.sessionId);
    const state = (await parts.stats.of(sessionId))?.state;
    if (state === undefined) throw new Refusal(404, 'There is no such session.');
    const follows = query.data.follow && state !== 'ended';
    if (follows && followers >= MAX_FOLLOWERS) throw new Refusal(503, 'Too many follow already.');
    const timeline = new FaceTimeline(await timelinePath(parts, sessionId, state), query.data);
    response.setHeader('Content-Type', 'application/x-ndjson');
    response.flushHeaders();
    const news = follows ? new TimelineNews(parts, sessionId, response) : undefined;
    followers += follows ? 1 : 0;
    try {
      const lines = request.method === 'HEAD' ? [] : linesOf(timeline, news);
      // That a client leaves in the middle is how most of them stop to follow.
      await pipeline(Readable.from(lines), response).catch(() => {});
    } finally {
      followers -= follows ? 1 : 0;
      news?.close();
      await timeline.close();
    }
  };
}

/** Beside the live playlist; once that is gone, beside the recording. */
async function timelinePath(
  { hlsDir, recordings }: FacesParts,
  sessionId: string,
  state: SessionState,
): Promise<string> {
  const live = join(hlsDir, sessionId, 'faces.ndjson');
  const isLeft = state !== 'ended' || (await exists(live));
  return isLeft ? live : recordings.facesPath(sessionId);
}

/** What the timeline has, then what it gets, until there is no more news or the range is over. */
async function* linesOf(timeline: FaceTimeline, news?: TimelineNews): AsyncGenerator<string> {
  yield* timeline.read();
  let goesOn = news !== undefined;
  while (news && goesOn && !timeline.isAtEnd) {
    goesOn = await news.next();
    yield* timeline.read();
  }
}

/** Tells when a session's timeline may have grown, until it has ended or nobody cares any more. */
class TimelineNews {
  private isNew = false;
  private isFinished = false;
  private wake: (() => void) | undefined;
  private readonly stopListening: () => void;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly parts: FacesParts,
    private readonly sessionId: string,
    response: Response,
  ) {
    this.stopListening = parts.events.on(sessionId, ({ type }) => {
      if (type === 'part') this.tell();
      if (type === 'ended' || type === 'deleted') this.finish();
    });
    this.timer = setInterval(() => void this.look(), LOOK_MS);
    response.once('close', this.finish);
    parts.closing.addEventListener('abort', this.finish);
    if (parts.closing.aborted) this.finish();
  }

  /** Resolves when there is news, however much; to false where it is the last. */
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
    this.parts.closing.removeEventListener('abort', this.finish);
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
      if (await this.parts.registry.get(this.sessionId)) this.tell();
      else this.finish();
    } catch {
      // Without Redis there is no news; the next look may bring some.
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
