import { publishEvent } from '@facecast/shared/protocol/events';
import { JobQueue } from '@facecast/shared/redis/queues';
import type { Session } from '@facecast/shared/redis/session';
import { ChunkFeed, type FeedTarget } from './chunk-feed.js';
import type { IngestDeps } from './ingest-deps.js';
import type { IngestEvent, ProtectionWish } from './ingest-state.js';

/** Input of a publication. */
export interface PublicationStart extends Pick<
  FeedTarget,
  'sessionId' | 'connection' | 'stored' | 'begin'
> {
  /** Not registered before its first media; undefined for a resumed session. */
  draft: Session | undefined;
}

/**
 * A session while its publisher is connected: it passes chunks to the pipeline and receives the session's
 * events.
 */
export class Publication {
  readonly sessionId: string;
  readonly feed: ChunkFeed;
  private readonly draft: Session | undefined;
  private readonly stopListening: () => void;

  /** @param tell called with the session's events, until `leave` and the feed's end */
  constructor(
    { draft, ...target }: PublicationStart,
    private readonly deps: IngestDeps,
    tell: (event: IngestEvent) => void,
  ) {
    const { redis, registry, chunks, events, limits, metrics } = deps;
    const { sessionId } = target;
    this.sessionId = sessionId;
    this.draft = draft;
    const queue = new JobQueue<'chunks'>(redis, { kind: 'chunks', sessionId });
    this.feed = new ChunkFeed(
      { ...target, queue, registry, chunks },
      {
        onStored: (count, arrivedAt) => {
          const now = Date.now();
          for (const at of arrivedAt) metrics.stage.observe(Math.max(0, now - at) / 1000);
          tell({ type: 'stored', count });
        },
        onBacklog: (isFull) => tell({ type: 'backlog', isFull }),
      },
      limits,
    );
    void this.feed.ended.then((end) => tell({ type: 'feed_ended', end }));
    this.stopListening = events.on(sessionId, (event) => tell({ type: 'pipeline', event }));
  }

  /** Changes how viewers are protected, in all frames that are not published yet. */
  async protect(wish: ProtectionWish): Promise<void> {
    const { redis, registry, renderedLog } = this.deps;
    const { sessionId, draft } = this;
    if (draft) Object.assign(draft, wish);
    // If the session is just being registered, the later of the two commands counts.
    const isRunning = await registry.update(sessionId, wish);
    if ('effect' in wish) await publishEvent(redis, { type: 'effect', sessionId, ...wish });
    if (isRunning) await renderedLog.append(sessionId, { kind: 'wish changed' });
  }

  /** Receives no more events and chunks; chunks that arrived are still queued. */
  leave(): void {
    this.stopListening();
    this.feed.finish('left');
  }
}
