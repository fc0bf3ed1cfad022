import { z } from 'zod';
import { effectSchema, pipelineStatsSchema } from './ingest-protocol.js';
import type { Logger } from '../runtime/logger.js';
import { sessionErrorSchema } from './messages.js';
import type { Redis } from '../redis/redis.js';

/** The public pub/sub channel that carries every event as JSON. */
export const EVENTS_CHANNEL = 'facecast:events';

const sessionId = z.string();
const count = z.number().int().nonnegative();

const eventSchema = z.discriminatedUnion('type', [
  /** The playlist can be played. Published once a session. */
  z.object({ type: z.literal('playlist_ready'), sessionId, playlistUrl: z.string() }),
  /** The playlist now lists part `part` of media sequence number `msn`: `batches` batches in all. */
  z.object({
    type: z.literal('part'),
    sessionId,
    msn: count,
    part: count,
    batches: count,
  }),
  /** A batch was lost: the frame-extractor makes it again. Repeated until it arrives. */
  z.object({ type: z.literal('missing'), sessionId, batch: count }),
  z.object({ type: z.literal('stats'), sessionId, stats: pipelineStatsSchema }),
  /** The publisher chose another effect. */
  z.object({ type: z.literal('effect'), sessionId, effect: effectSchema }),
  /** The publisher or the operator deleted the session: no request for it is answered any more. */
  z.object({ type: z.literal('deleted'), sessionId }),
  /** The session has ended: its playlist has EXT-X-ENDLIST, or there is none. */
  z.object({
    type: z.literal('ended'),
    sessionId,
    frames: count,
    error: sessionErrorSchema.optional(),
  }),
]);

/** An event of one session. A new type is an addition to the public contract. */
export type FacecastEvent = z.infer<typeof eventSchema>;
export type EventType = FacecastEvent['type'];
export type EventOf<Type extends EventType> = Extract<FacecastEvent, { type: Type }>;

/** Publishes an event to all subscribers. */
export async function publishEvent(redis: Redis, event: FacecastEvent): Promise<void> {
  await redis.publish(EVENTS_CHANNEL, JSON.stringify(event));
}

type Listener = (event: FacecastEvent) => void;

/**
 * Receives the events of all sessions, on a connection of its own, because a subscribed one can do
 * nothing else.
 */
export class EventSubscription {
  private readonly listeners = new Set<Listener>();

  private constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
  ) {}

  /** Subscribes on a duplicate of `redis`. */
  static async open(redis: Redis, log: Logger): Promise<EventSubscription> {
    const subscription = new EventSubscription(
      redis.duplicate({ maxRetriesPerRequest: null }),
      log,
    );
    subscription.redis.on('error', () => {});
    subscription.redis.on('message', (_channel, text) => subscription.receive(text));
    await subscription.redis.subscribe(EVENTS_CHANNEL);
    return subscription;
  }

  /** Calls `listener` for each event from now on; returns a function that removes it. */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.redis.disconnect();
  }

  private receive(text: string): void {
    const event = parseEvent(text);
    if (!event) {
      this.log.warn({ text: text.slice(0, 200) }, 'an event that is not of the contract');
      return;
    }
    for (const listener of this.listeners) listener(event);
  }
}

function parseEvent(text: string): FacecastEvent | undefined {
  try {
    return eventSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
