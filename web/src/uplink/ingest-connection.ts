import type {
  ClientMessage,
  Effect,
  ServerMessage,
  Stats,
} from '@facecast/shared/protocol/ingest-protocol';
import { problemOfCode, type Problem } from '../problem.js';
import type { Uplink } from './adaptation.js';
import { ChunkOutbox, type Chunk } from './chunk-outbox.js';
import type { StartedSession } from './started-session.js';
import type { StartMessage } from './start-message.js';
import { Timers } from './timers.js';
import { UPLINK_LIMITS } from './uplink-limits.js';
import {
  nextUplinkState,
  type ResumableSession,
  type UplinkEvent,
  type UplinkNews,
  type UplinkState,
} from './uplink-state.js';
import { serverPath } from '../server-path.js';

/** Events of a connection. `onEnded` or `onProblem` comes once, and nothing after it. */
export interface IngestEvents {
  onStarted(session: StartedSession): void;
  onPlaylistReady(): void;
  onStats(stats: Stats): void;
  /** The server accepts no chunks now, or does not answer; with the cause. */
  onDropped(fault: 'connection' | 'server'): void;
  /** The server accepts chunks again. */
  onResumed(): void;
  onEnded(frames: number): void;
  onProblem(problem: Problem): void;
}

/**
 * One session's connection to the server: the ingest protocol over one WebSocket after another. It passes events
 * to `nextUplinkState`, and carries out what the new state requires. The outbox has the
 * unacknowledged chunks, which are sent again after a lost connection.
 */
export class IngestConnection {
  private readonly openSocket: () => WebSocket;
  private readonly events: IngestEvents;
  private readonly limits: typeof UPLINK_LIMITS;
  private readonly outbox: ChunkOutbox;
  private readonly timers = new Timers<'quiet' | 'silence' | 'retry' | 'end'>();
  private state: UplinkState;
  /** The current socket; undefined between two attempts to reconnect. */
  private socket: WebSocket | undefined;
  /** The last changes of protection: the server may not have them when a connection is lost. */
  private protection: { effect?: Effect; hidden?: boolean } = {};
  /** Whether no chunk is to follow, and whether `stop` was sent on this socket. */
  private stopping: 'unasked' | 'asked' | 'said' = 'unasked';

  /** @param begin a new session, or one that another page published */
  constructor(
    openSocket: () => WebSocket,
    begin: StartMessage | ResumableSession,
    events: IngestEvents,
    limits = UPLINK_LIMITS,
  ) {
    this.openSocket = openSocket;
    this.events = events;
    this.limits = limits;
    this.outbox = new ChunkOutbox(limits);
    if ('mimeType' in begin) {
      this.state = { name: 'starting' };
      this.connect(begin);
    } else {
      const since = { sinceMs: Date.now(), tries: 0, trouble: undefined };
      this.state = { name: 'lost', session: begin, ...since };
      this.resume(begin);
    }
  }

  /** Sends the next chunk, or keeps it until the connection can carry it. */
  send(chunk: Chunk): void {
    if (this.state.name === 'over') return;
    if (!this.outbox.add(chunk, performance.now())) return this.fail('uplink_too_slow');
    this.sendOn();
  }

  /** How well chunks come through; undefined without a connection. */
  get uplink(): Uplink | undefined {
    if (this.state.name !== 'open' || this.state.isQuiet) return undefined;
    const { bytes, acknowledgedBytes } = this.outbox;
    const waitedSeconds = this.outbox.waitedMs(performance.now()) / 1000;
    return { waitedSeconds, unacknowledgedBytes: bytes, acknowledgedBytes };
  }

  /** Drops unsent chunks: the next chunk begins another input stream. */
  dropUnsent(): void {
    this.outbox.dropUnsent();
  }

  /** Changes the effect, now or once the connection is back. */
  changeEffect(effect: Effect): void {
    this.protection.effect = effect;
    if (this.state.name === 'open') this.say({ type: 'effect', effect });
  }

  /** Hides the whole picture, or shows it again, now or once the connection is back. */
  hide(hidden: boolean): void {
    this.protection.hidden = hidden;
    if (this.state.name === 'open') this.say({ type: 'hide', hidden });
  }

  /** Ends the input; `onEnded` comes when everything sent can be watched. */
  stop(): void {
    if (this.state.name === 'over' || this.stopping !== 'unasked') return;
    this.stopping = 'asked';
    this.timers.set('end', this.limits.endMs, () => this.fail('end_unconfirmed'));
    this.sendOn();
  }

  /** Closes the connection at once: nothing more is sent, and no event comes. */
  close(): void {
    this.step({ type: 'closed' });
  }

  /** Carries out what the state after an event requires, then reports the news. */
  private step(event: UplinkEvent): void {
    const before = this.state;
    const { state, news } = nextUplinkState(before, event);
    this.state = state;
    if (state !== before) {
      if (state.name === 'open' && before.name !== 'open') this.flow();
      if (state.name === 'lost') this.retry(state);
      if (state.name === 'over') this.timers.clear();
      if (state.name === 'over') this.socket?.close();
    }
    if (news) this.tell(news);
  }

  private tell(news: UplinkNews): void {
    if (news.type === 'dropped') this.events.onDropped(news.fault);
    else if (news.type === 'resumed') this.events.onResumed();
    else this.events.onProblem(news.problem);
  }

  private connect(first: ClientMessage): void {
    const socket = this.openSocket();
    socket.binaryType = 'arraybuffer';
    const opening = setTimeout(() => this.onLost(socket), this.limits.openMs);
    socket.addEventListener('open', () => {
      clearTimeout(opening);
      if (this.isCurrent(socket)) this.say(first);
    });
    socket.addEventListener('message', ({ data }) => {
      if (this.isCurrent(socket)) this.onMessage(JSON.parse(String(data)) as ServerMessage);
    });
    // A failed socket also closes: `error` says nothing that `close` does not.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', () => {
      clearTimeout(opening);
      this.onLost(socket);
    });
    this.socket = socket;
  }

  private onMessage(message: ServerMessage): void {
    if (message.type === 'stats' || this.timers.isSet('silence')) this.expectMoreSoon();
    switch (message.type) {
      case 'started':
        this.events.onStarted(message);
        return this.step({ type: 'started', session: message });
      case 'resumed':
        if (!this.outbox.resumeAt(message.chunks)) return this.fail('connection_lost');
        return this.step({ type: 'resumed' });
      case 'ack':
        this.outbox.acknowledge(message.chunks);
        return this.sendOn();
      case 'playlist_ready':
        return this.events.onPlaylistReady();
      case 'stats':
        return this.events.onStats(message);
      case 'ended':
        this.close();
        return this.events.onEnded(message.frames);
      case 'error': {
        const problem = problemOfCode(message.code);
        const isStopping = this.stopping !== 'unasked';
        return this.step({ type: 'refused', problem, atMs: Date.now(), isStopping });
      }
    }
  }

  /** Watches for silence: a server that has sent stats sends them each second. */
  private expectMoreSoon(): void {
    const { quietMs, silenceMs } = this.limits;
    const socket = this.socket;
    this.step({ type: 'heard' });
    this.timers.set('quiet', quietMs, () => this.step({ type: 'quiet' }));
    this.timers.set('silence', silenceMs, () => socket && this.onLost(socket));
  }

  /** Sends what waited for a connection. */
  private flow(): void {
    const { effect, hidden } = this.protection;
    if (hidden !== undefined) this.say({ type: 'hide', hidden });
    if (effect !== undefined) this.say({ type: 'effect', effect });
    this.sendOn();
  }

  /** Sends what the connection can carry, and `stop` after the last chunk. */
  private sendOn(): void {
    if (this.state.name !== 'open') return;
    for (const { bytes, mimeType } of this.outbox.toSend(performance.now())) {
      if (mimeType !== undefined) this.say({ type: 'restart', mimeType });
      this.socket?.send(bytes);
    }
    if (this.stopping !== 'asked' || !this.outbox.isAllSent) return;
    this.stopping = 'said';
    this.say({ type: 'stop' });
  }

  private onLost(socket: WebSocket): void {
    if (this.isCurrent(socket)) this.step({ type: 'socket_lost', atMs: Date.now() });
  }

  /** Leaves the socket and resumes on another one: at once, if it is the first attempt. */
  private retry({ session, tries }: Extract<UplinkState, { name: 'lost' }>): void {
    const socket = this.socket;
    this.socket = undefined;
    if (this.stopping === 'said') this.stopping = 'asked';
    this.timers.clear('quiet', 'silence');
    const retryMs = tries === 0 ? 0 : this.limits.retryEveryMs;
    this.timers.set('retry', retryMs, () => this.resume(session));
    socket?.close();
  }

  private resume({ sessionId, resumeToken }: ResumableSession): void {
    this.connect({ type: 'resume', sessionId, resumeToken });
  }

  private fail(problem: Problem): void {
    this.step({ type: 'failed', problem });
  }

  private say(message: ClientMessage): void {
    this.socket?.send(JSON.stringify(message));
  }

  private isCurrent(socket: WebSocket): boolean {
    return this.state.name !== 'over' && socket === this.socket;
  }
}

/** Address of the ingest socket of the server that served this page. */
export function ingestUrl(page: Pick<Location, 'protocol' | 'host' | 'pathname'>): string {
  const scheme = page.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${page.host}${serverPath('/ingest', page)}`;
}
