import { playlistPath } from '@facecast/shared/protocol/ingest-protocol';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import { TooManySessionsError } from '@facecast/shared/redis/session-registry';
import { readClientMessage } from './client-message.js';
import type { IngestDeps } from './ingest-deps.js';
import type { IngestSocket } from './ingest-socket.js';
import {
  deadlineOf,
  type FirstMessage,
  type IngestAction,
  type IngestEvent,
  type IngestState,
} from './ingest-state.js';
import { nextIngestState } from './next-ingest-state.js';
import { ProtocolError, TOO_MANY_SESSIONS } from './protocol-error.js';
import { Publication, type PublicationStart } from './publication.js';
import { SessionOpener } from './session-opener.js';

type Opened = Extract<IngestEvent, { type: 'opened' }>;

/** What a handler knows of its client, and reports of it. */
export interface ClientHooks {
  /** The address whose wrong tokens are counted together. */
  client: string;
  /** Called when media may come. */
  onStarted: () => void;
  /** Called when the session has its place; may be called again. */
  onPlaced: () => void;
}

/**
 * One `/ingest` socket. It passes every event to `nextIngestState` and carries out the actions that follow.
 * The publication's feed has the chunks that are not stored yet.
 */
export class IngestHandler {
  private state: IngestState = { name: 'greeting' };
  private publication: Publication | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private endLook: NodeJS.Timeout | undefined;
  private readonly opener: SessionOpener;

  constructor(
    private readonly socket: IngestSocket,
    private readonly deps: IngestDeps,
    /** This gateway's publishers, by session. */
    private readonly publishers: Map<string, IngestHandler>,
    private readonly hooks: ClientHooks,
  ) {
    this.opener = new SessionOpener(deps, hooks.client);
    socket.on('message', (data: Buffer, isBinary: boolean) => this.receive(data, isBinary));
    // The WebSocket layer has told the client why before.
    socket.on('error', () => this.dispatch({ type: 'left' }));
    socket.on('close', () => void this.leave());
    this.keepTime();
  }

  /** The running session that more media is expected for; undefined if there is none. */
  get runningSession(): string | undefined {
    const { state, publication } = this;
    const isRunning = state.name === 'publishing' && publication?.feed.hasBegun;
    return isRunning ? state.sessionId : undefined;
  }

  /** Gives the session up to another connection; resolves when nothing more is written for this one. */
  async release(): Promise<void> {
    this.dispatch({ type: 'taken_over' });
    await this.publication?.feed.ended;
  }

  /**
   * Called when the gateway stops: chunks that arrived are still queued, then the client is sent to another
   * gateway.
   */
  async sendElsewhere(): Promise<void> {
    this.dispatch({ type: 'left' });
    this.socket.pause();
    await this.publication?.feed.ended;
    this.socket.close(1012);
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (this.state.name === 'over') return;
    if (isBinary) return this.dispatch({ type: 'media', bytes: data });
    try {
      const message = readClientMessage(data, this.deps.limits.textBytes);
      this.dispatch({ type: 'message', message });
    } catch (error) {
      this.fail(error);
    }
  }

  private readonly dispatch = (event: IngestEvent): void => {
    if (event.type === 'feed_ended' && event.end.how === 'outage') this.warn(event.end.error);
    const before = this.state;
    const { state, actions } = nextIngestState(before, event);
    this.state = state;
    if (deadlineOf(state) !== deadlineOf(before)) this.keepTime();
    if (state.name === 'over') this.publication?.leave();
    for (const action of actions) this.carryOut(action);
  };

  private carryOut(action: IngestAction): void {
    const { socket, publication, deps } = this;
    switch (action.type) {
      case 'open':
        return this.unlessFailed(this.open(action.message));
      case 'send':
        return socket.sendMessage(action.message);
      case 'send_stats':
        return this.unlessFailed(
          deps.stats.withGatewayFigures(action.stats).then((stats) => {
            socket.sendMessage({ ...stats, heldBack: socket.isPaused });
          }),
        );
      case 'refuse':
        return socket.refuse(action.code, action.message);
      case 'close':
        return socket.close(1000);
      case 'hold_back':
        return action.isHeld ? socket.pause() : socket.resume();
      case 'feed':
        if (action.bytes.length > 0) this.hooks.onPlaced();
        deps.metrics.ingestBytes.inc(action.bytes.length);
        deps.metrics.ingestChunks.inc();
        return publication?.feed.add(action.bytes, action.inputStream);
      case 'end_input':
        return publication?.feed.finish('to_be_ended');
      case 'discard_late':
        return void publication?.feed.discard().catch((error: unknown) => this.warn(error));
      case 'note_progress':
        if (this.state.name === 'ending') this.deadline?.refresh();
        return publication?.feed.progressed();
      case 'protect':
        return publication && this.unlessFailed(publication.protect(action.wish));
    }
  }

  private async open(message: FirstMessage): Promise<void> {
    if (message.type === 'start') {
      const drafted = await this.opener.start(message);
      if (!this.isOpening) return;
      const { session: draft, rules, started: greeting } = drafted;
      const begin = () => this.opener.begin(drafted);
      this.publish({ sessionId: draft.id, connection: 0, stored: 0, begin, draft });
      this.opened(draft.id, { rules, hasMedia: false, greeting });
      return;
    }
    const { sessionId } = message;
    const resumed = await this.opener.resume(message, (id) => this.releaseEarlier(id));
    if ('frames' in resumed) return this.dispatch({ type: 'session_ended', ...resumed });
    if (!this.isOpening) return;
    // If another connection resumed in the meantime, too, the later of the two has the session.
    void this.releaseEarlier(sessionId);
    const { connection, chunks, newest, isPlayable, rules } = resumed;
    const place = { sessionId, connection, stored: chunks };
    const { feed } = this.publish({ ...place, begin: undefined, draft: undefined });
    this.hooks.onPlaced();
    this.opened(sessionId, { rules, hasMedia: true, greeting: undefined });
    await feed.queue(newest);
    this.deps.log.info({ sessionId, chunks }, 'resumed');
    this.dispatch({ type: 'resumable', chunks, isPlayable });
  }

  private opened(sessionId: string, how: Pick<Opened, 'rules' | 'hasMedia' | 'greeting'>): void {
    const playlistUrl = this.deps.basePath + playlistPath(sessionId);
    this.dispatch({ type: 'opened', sessionId, playlistUrl, ...how });
  }

  private get isOpening(): boolean {
    return this.state.name === 'opening' && this.socket.readyState === this.socket.OPEN;
  }

  /** Has the connection before this one give the session up, if it is with this gateway. */
  private async releaseEarlier(sessionId: string): Promise<void> {
    await this.publishers.get(sessionId)?.release();
  }

  private publish(start: PublicationStart): Publication {
    this.publication = new Publication(start, this.deps, this.dispatch);
    this.publishers.set(start.sessionId, this);
    this.hooks.onStarted();
    return this.publication;
  }

  /** Sets the timers that the state needs. */
  private keepTime(): void {
    const { limits } = this.deps;
    clearTimeout(this.deadline);
    clearInterval(this.endLook);
    const due = deadlineOf(this.state);
    this.deadline = due && setTimeout(() => this.dispatch({ type: 'timed_out' }), limits[due]);
    this.endLook =
      this.state.name === 'ending'
        ? setInterval(() => void this.lookForEnd(), limits.lookForEndMs)
        : undefined;
  }

  /** Looks for the session's summary, because the event `ended` may be lost with a Redis connection. */
  private async lookForEnd(): Promise<void> {
    if (this.state.name !== 'ending') return;
    try {
      const ending = await this.deps.stats.ending(this.state.sessionId);
      if (ending) this.dispatch({ type: 'session_ended', ...ending });
    } catch (error) {
      this.warn(error);
    }
  }

  /**
   * Handles the closing of the socket: chunks that arrived are still queued, and the session can be
   * resumed.
   */
  private async leave(): Promise<void> {
    const running = this.runningSession;
    this.dispatch({ type: 'left' });
    if (!this.publication) return;
    // The time in which it may come back begins now.
    if (running !== undefined)
      await this.deps.sessions.publisherSeen(running).catch((error: unknown) => this.warn(error));
    const { sessionId, feed } = this.publication;
    await feed.close().catch((error: unknown) => this.warn(error));
    if (this.publishers.get(sessionId) === this) this.publishers.delete(sessionId);
  }

  private unlessFailed(work: Promise<void>): void {
    work.catch((error: unknown) => this.fail(error));
  }

  /** Handles a request that failed. */
  private fail(error: unknown): void {
    if (this.state.name === 'over') return;
    if (error instanceof ProtocolError) {
      const { code, message } = error;
      return this.dispatch({ type: 'problem', code, message });
    }
    if (error instanceof TooManySessionsError) {
      const code = 'too_many_sessions';
      return this.dispatch({ type: 'problem', code, message: TOO_MANY_SESSIONS });
    }
    this.deps.log.error({ err: error }, 'a message could not be answered');
    const message = 'The server cannot do that at the moment.';
    this.dispatch({ type: 'problem', code: 'internal', message });
  }

  private warn(error: unknown): void {
    const sessionId = this.publication?.sessionId;
    warnUnlessOutage(this.deps.log, error, 'trouble with a publisher', { sessionId });
  }
}
