import { once } from 'node:events';
import { join } from 'node:path';
import type { SessionRegistry } from '@facecast/shared/sessions';
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { Refusal } from '../errors.js';
import { isSessionId } from '../session-id.js';
import type { SessionEvents } from '../session-events.js';
import { FaceTimeline } from './face-timeline.js';

/** Most clients that follow a timeline at once. */
export const MOST_FOLLOWERS = 200;
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
  events: SessionEvents;
  /** Aborted when the gateway stops. */
  closing: AbortSignal;
}

/** `GET /api/sessions/<id>/faces`: the session's face timeline, as it is or as it grows. */
export function facesHandler(parts: FacesParts): RequestHandler<{ sessionId: string }> {
  let followers = 0;
  return async (request, response) => {
    const { sessionId } = request.params;
    const query = querySchema.safeParse(request.query);
    if (!query.success) throw new Refusal(400, 'from and to are frames; follow is 0 or 1.');
    if (!isSessionId(sessionId)) throw new Refusal(404, 'There is no such session.');
    const follow = query.data.follow && (await parts.registry.get(sessionId)) !== undefined;
    if (follow && followers >= MOST_FOLLOWERS) throw new Refusal(503, 'Too many follow already.');
    const path = join(parts.hlsDir, sessionId, 'faces.ndjson');
    const timeline = await FaceTimeline.open(path, query.data);
    if (!timeline) throw new Refusal(404, 'There is no such session, or it has no timeline yet.');
    response.writeHead(200, {
      'Content-Type': 'application/x-ndjson',
      'Cache-Control': 'no-store',
    });
    response.flushHeaders();
    followers += follow ? 1 : 0;
    try {
      if (request.method !== 'HEAD') {
        await sendRest(timeline, response);
        if (follow) await sendNews(parts, sessionId, timeline, response);
      }
      response.end();
    } finally {
      followers -= follow ? 1 : 0;
      await timeline.close();
    }
  };
}

/** Sends what the timeline has beyond what was sent, as fast as the client takes it. */
async function sendRest(timeline: FaceTimeline, response: Response): Promise<void> {
  for await (const lines of timeline.read()) {
    if (response.destroyed) return;
    if (!response.write(lines)) {
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
  }
}

/** Sends lines as they come, until the session ends, the client leaves or the range is over. */
async function sendNews(
  { registry, events, closing }: FacesParts,
  sessionId: string,
  timeline: FaceTimeline,
  response: Response,
): Promise<void> {
  const news = new News();
  const stopListening = events.on(sessionId, ({ type }) => {
    if (type === 'part') news.tell();
    if (type === 'ended') news.finish();
  });
  const timer = setInterval(() => {
    registry.get(sessionId).then(
      (session) => (session ? news.tell() : news.finish()),
      () => {},
    );
  }, LOOK_MS);
  const leave = () => news.finish();
  response.once('close', leave);
  closing.addEventListener('abort', leave);
  if (closing.aborted) leave();
  try {
    let goesOn = true;
    while (goesOn && !timeline.isBeyondRange && !response.destroyed) {
      goesOn = await news.next();
      await sendRest(timeline, response);
    }
  } finally {
    stopListening();
    clearInterval(timer);
    closing.removeEventListener('abort', leave);
  }
}

/** Lets one reader wait for the next news; any number of them in between count as one. */
class News {
  private isNew = false;
  private isFinished = false;
  private wake: (() => void) | undefined;

  tell(): void {
    this.isNew = true;
    this.wake?.();
  }

  finish(): void {
    this.isFinished = true;
    this.wake?.();
  }

  /** Resolves when there is news; to false where it is the last. */
  async next(): Promise<boolean> {
    if (!this.isNew && !this.isFinished) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.isNew = false;
    return !this.isFinished;
  }
}
