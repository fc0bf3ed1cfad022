import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import { TooManySessionsError } from '@facecast/shared/redis/sessions';
import { readClientMessage } from './client-message.js';
import type { IngestParts } from './ingest-parts.js';
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

/** What a handler is told of its client, and tells. */
export interface Door {
  /** The address whose wrong tokens are counted together. */
  client: string;
  /** Media may come from now on. */
  onStarted: () => void;
  /** The first media has come, or the session runs already; may be called again. */
  onPlaced: () => void;
}

/**
 * One `/ingest` socket. Whatever happens is an event for `nextIngestState`; the actions that follow from
 * it are carried out here. Chunks that are not stored yet are the publication's feed's.
 */
export class IngestHandler {
  private state: IngestState = { name: 'greeting' };
  private publication: Publication | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private endLook: NodeJS.Timeout | undefined;
  private readonly opener: SessionOpener;

  constructor(
    private readonly socket: IngestSocket,
    private readonly parts: IngestParts,
    /** This gateway's publishers, by session. */
    private readonly publishers: Map<string, IngestHandler>,
    private readonly door: Door,
  ) {
    this.opener = new SessionOpener(parts, door.client);
    socket.on('message', (data: Buffer, isBinary: boolean) => this.receive(data, isBinary));
    // The WebSocket layer has then told the client why.
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

  /** Another connection goes on with the session. Resolves when this one has left it alone. */
  async giveWay(): Promise<void> {
    this.dispatch({ type: 'taken_over' });
    await this.publication?.feed.ended;
  }

  /** The gateway stops: what has arrived is still queued, then the client may go elsewhere. */
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
      const message = readClientMessage(data, this.parts.limits.textBytes);
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
    const { socket, publication, parts } = this;
    switch (action.type) {
      case 'open':
        return this.unlessFailed(this.open(action.message));
      case 'send':
        return socket.sendMessage(action.message);
      case 'send_stats':
        return this.unlessFailed(
          parts.stats.withViewers(action.stats).then((stats) => socket.sendMessage(stats)),
        );
      case 'refuse':
        return socket.refuse(action.code, action.message);
      case 'close':
        return socket.close(1000);
      case 'hold_back':
        return action.isHeld ? socket.pause() : socket.resume();
      case 'feed':
        this.door.onPlaced();
        parts.metrics.ingestBytes.inc(action.bytes.length);
        parts.metrics.ingestChunks.inc();
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
      this.dispatch({ type: 'opened', sessionId: draft.id, rules, hasMedia: false, greeting });
      return;
    }
    const { sessionId } = message;
    const resumed = await this.opener.resume(message, (id) => this.release(id));
    if ('frames' in resumed) return this.dispatch({ type: 'session_ended', ...resumed });
    if (!this.isOpening) return;
    // One that resumed in the meantime, too, has lost the session to the later of the two.
    void this.release(sessionId);
    const { connection, chunks, newest, isPlayable, rules } = resumed;
    const place = { sessionId, connection, stored: chunks };
    const { feed } = this.publish({ ...place, begin: undefined, draft: undefined });
    this.door.onPlaced();
    this.dispatch({ type: 'opened', sessionId, rules, hasMedia: true, greeting: undefined });
    await feed.queue(newest);
    this.parts.log.info({ sessionId, chunks }, 'resumed');
    this.dispatch({ type: 'resumable', chunks, isPlayable });
  }

  private get isOpening(): boolean {
    return this.state.name === 'opening' && this.socket.readyState === this.socket.OPEN;
  }

  /** Makes the connection before this one leave a session alone, if it is with this gateway. */
  private async release(sessionId: string): Promise<void> {
    await this.publishers.get(sessionId)?.giveWay();
  }

  private publish(start: PublicationStart): Publication {
    this.publication = new Publication(start, this.parts, this.dispatch);
    this.publishers.set(start.sessionId, this);
    this.door.onStarted();
    return this.publication;
  }

  /** Sets the timers that the state asks for. */
  private keepTime(): void {
    const { limits } = this.parts;
    clearTimeout(this.deadline);
    clearInterval(this.endLook);
    const due = deadlineOf(this.state);
    this.deadline = due && setTimeout(() => this.dispatch({ type: 'timed_out' }), limits[due]);
    this.endLook =
      this.state.name === 'ending'
        ? setInterval(() => void this.lookForEnd(), limits.lookForEndMs)
        : undefined;
  }

  /** The event may be lost with a Redis connection; what the session leaves is not. */
  private async lookForEnd(): Promise<void> {
    if (this.state.name !== 'ending') return;
    try {
      const ending = await this.parts.stats.ending(this.state.sessionId);
      if (ending) this.dispatch({ type: 'session_ended', ...ending });
    } catch (error) {
      this.warn(error);
    }
  }

  /** The socket has closed. What arrived is still queued, and the session can be resumed. */
  private async leave(): Promise<void> {
    this.dispatch({ type: 'left' });
    if (!this.publication) return;
    const { sessionId, feed } = this.publication;
    await feed.close().catch((error: unknown) => this.warn(error));
    if (this.publishers.get(sessionId) === this) this.publishers.delete(sessionId);
  }

  private unlessFailed(work: Promise<void>): void {
    work.catch((error: unknown) => this.fail(error));
  }

  /** What the client asked for cannot be done. */
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
    this.parts.log.error({ err: error }, 'a message could not be answered');
    const message = 'The server cannot do that at the moment.';
    this.dispatch({ type: 'problem', code: 'internal', message });
  }

  private warn(error: unknown): void {
    const sessionId = this.publication?.sessionId;
    warnUnlessOutage(this.parts.log, error, 'trouble with a publisher', { sessionId });
  }
}
