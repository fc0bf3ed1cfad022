import type {
  ClientMessage,
  Effect,
  ServerMessage,
  Stats,
} from '@facecast/shared/protocol/ingest-protocol';
import type { Uplink } from './adaptation.js';
import { ChunkOutbox, type Chunk } from './chunk-outbox.js';
import { INGEST_LIMITS, type IngestLimits } from './ingest-limits.js';
import { problemOfCode, type Problem } from '../problem.js';
import type { Session } from './session.js';

/** What a connection tells. `onEnded` or `onProblem` comes once, and nothing after it. */
export interface IngestEvents {
  onStarted(session: Session): void;
  onPlaylistReady(): void;
  onStats(stats: Stats): void;
  /** The server does not take chunks at the moment, or does not say so; whose fault that is. */
  onDropped(fault: 'connection' | 'server'): void;
  /** It does again. */
  onResumed(): void;
  onEnded(frames: number): void;
  onProblem(problem: Problem): void;
}

/**
 * One session's way to the server: the ingest protocol over one WebSocket after another. Chunks
 * that the server has not acknowledged are kept and sent again when a lost connection is back.
 */
export class IngestConnection {
  readonly #openSocket: () => WebSocket;
  readonly #events: IngestEvents;
  readonly #limits: IngestLimits;
  readonly #outbox: ChunkOutbox;
  /** The one socket that counts; none while a lost connection waits for its next try. */
  #socket: WebSocket | undefined;
  #session: { sessionId: string; resumeToken: string } | undefined;
  /** Whether the server takes chunks on this socket: after `started` or `resumed`. */
  #flowing = false;
  /** The last changes of protection: the server may not have them when a connection is lost. */
  #effect: Effect | undefined;
  #hidden: boolean | undefined;
  #stopping = false;
  /** Whether it was said on this socket. */
  #saidStop = false;
  #over = false;
  #droppedAt: number | undefined;
  /** `onDropped` was told, and `onResumed` not yet. */
  #away = false;
  /** Why the server broke off a session that may still be there. */
  #trouble: Problem | undefined;
  #quiet: Timer;
  #silence: Timer;
  #retry: Timer;
  #end: Timer;

  constructor(
    openSocket: () => WebSocket,
    first: Extract<ClientMessage, { type: 'start' | 'resume' }>,
    events: IngestEvents,
    limits = INGEST_LIMITS,
  ) {
    this.#openSocket = openSocket;
    this.#events = events;
    this.#limits = limits;
    this.#outbox = new ChunkOutbox(limits);
    if (first.type === 'resume') {
      const { sessionId, resumeToken } = first;
      this.#session = { sessionId, resumeToken };
      this.#droppedAt = Date.now();
      this.#away = true;
    }
    this.#connect(first);
  }

  /** Sends the next chunk, or keeps it until the connection bears it. */
  send(chunk: Chunk): void {
    if (this.#over) return;
    if (!this.#outbox.add(chunk, performance.now())) return this.#fail('uplink_too_slow');
    this.#sendOn();
  }

  /** How well chunks come through; undefined while no connection stands. */
  get uplink(): Uplink | undefined {
    if (!this.#flowing || this.#away) return undefined;
    const { bytes, acknowledgedBytes } = this.#outbox;
    const waitedSeconds = this.#outbox.waitedMs(performance.now()) / 1000;
    return { waitedSeconds, waitingBytes: bytes, acknowledgedBytes };
  }

  /** Forgets what is not sent yet: the next chunk begins another recording. */
  dropUnsent(): void {
    this.#outbox.dropUnsent();
  }

  /** Changes the effect now, or as soon as the connection is back. */
  changeEffect(effect: Effect): void {
    this.#effect = effect;
    if (this.#flowing) this.#say({ type: 'effect', effect });
  }

  /** Hides the whole picture, or no longer: now, or as soon as the connection is back. */
  hide(hidden: boolean): void {
    this.#hidden = hidden;
    if (this.#flowing) this.#say({ type: 'hide', hidden });
  }

  /** Says that no chunk follows; `onEnded` comes when everything sent can be watched. */
  stop(): void {
    if (this.#over || this.#stopping) return;
    this.#stopping = true;
    this.#end = setTimeout(() => this.#fail('end_unconfirmed'), this.#limits.endMs);
    this.#sendOn();
  }

  /** Lets go at once: after this nothing is sent and nothing is told. */
  close(): void {
    this.#over = true;
    this.#flowing = this.#saidStop = false;
    for (const timer of [this.#quiet, this.#silence, this.#retry, this.#end]) clearTimeout(timer);
    this.#socket?.close();
  }

  #connect(first: ClientMessage): void {
    const socket = this.#openSocket();
    socket.binaryType = 'arraybuffer';
    const opening = setTimeout(() => this.#onLost(socket), this.#limits.openMs);
    socket.addEventListener('open', () => {
      clearTimeout(opening);
      if (this.#isCurrent(socket)) this.#say(first);
    });
    socket.addEventListener('message', ({ data }) => {
      if (this.#isCurrent(socket)) this.#onMessage(JSON.parse(String(data)) as ServerMessage);
    });
    // A failed socket also closes: `error` says nothing that `close` does not.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', () => {
      clearTimeout(opening);
      this.#onLost(socket);
    });
    this.#socket = socket;
  }

  #onMessage(message: ServerMessage): void {
    if (message.type === 'stats' || this.#silence !== undefined) this.#expectMoreSoon();
    switch (message.type) {
      case 'started': {
        const { sessionId, resumeToken } = message;
        this.#session = { sessionId, resumeToken };
        this.#events.onStarted(message);
        return this.#flow();
      }
      case 'resumed':
        return this.#onResumed(message.chunks);
      case 'ack':
        this.#outbox.acknowledge(message.chunks);
        return this.#sendOn();
      case 'playlist_ready':
        return this.#events.onPlaylistReady();
      case 'stats':
        return this.#events.onStats(message);
      case 'ended':
        this.close();
        return this.#events.onEnded(message.frames);
      case 'error':
        return this.#onRefused(problemOfCode(message.code));
    }
  }

  #onResumed(count: number): void {
    if (!this.#outbox.resumeAt(count)) return this.#fail('connection_lost');
    this.#droppedAt = this.#trouble = undefined;
    this.#flow();
    this.#tellBack();
  }

  /** A connection stands: what waited for it is sent. */
  #flow(): void {
    this.#flowing = true;
    if (this.#hidden !== undefined) this.#say({ type: 'hide', hidden: this.#hidden });
    if (this.#effect !== undefined) this.#say({ type: 'effect', effect: this.#effect });
    this.#sendOn();
  }

  /** Sends what the connection bears, and `stop` after the last of it. */
  #sendOn(): void {
    if (!this.#flowing) return;
    for (const { bytes, mimeType } of this.#outbox.toSend(performance.now())) {
      if (mimeType !== undefined) this.#say({ type: 'restart', mimeType });
      this.#socket?.send(bytes);
    }
    if (!this.#stopping || this.#saidStop || !this.#outbox.isAllSent) return;
    this.#saidStop = true;
    this.#say({ type: 'stop' });
  }

  #onRefused(problem: Problem): void {
    const resuming = this.#droppedAt !== undefined;
    if (this.#session && (problem === 'internal' || (resuming && problem === 'overloaded'))) {
      // Redis may be gone, or this gateway: the session is not over until somebody says so.
      this.#trouble = problem;
      if (this.#socket) this.#onLost(this.#socket);
      return;
    }
    if (problem !== 'not_found' || !resuming) return this.#fail(problem);
    // The session was over before the connection was back.
    this.#fail(this.#trouble ?? (this.#stopping ? 'end_unconfirmed' : 'session_gone'));
  }

  #onLost(socket: WebSocket): void {
    if (!this.#isCurrent(socket)) return;
    if (!this.#session) return this.#fail('unreachable');
    this.#flowing = this.#saidStop = false;
    for (const timer of [this.#quiet, this.#silence]) clearTimeout(timer);
    this.#silence = undefined;
    const wasDropped = this.#droppedAt !== undefined;
    this.#droppedAt ??= Date.now();
    if (Date.now() - this.#droppedAt >= this.#limits.resumeForMs) {
      return this.#fail(this.#trouble ?? 'connection_lost');
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#resume(), wasDropped ? this.#limits.retryEveryMs : 0);
    this.#socket = undefined;
    socket.close();
    this.#tellAway('connection');
  }

  #resume(): void {
    if (this.#over || !this.#session) return;
    this.#connect({ type: 'resume', ...this.#session });
  }

  #expectMoreSoon(): void {
    const socket = this.#socket;
    this.#tellBack();
    for (const timer of [this.#quiet, this.#silence]) clearTimeout(timer);
    this.#quiet = setTimeout(() => this.#tellAway('server'), this.#limits.quietMs);
    this.#silence = setTimeout(() => socket && this.#onLost(socket), this.#limits.silenceMs);
  }

  #tellAway(fault: 'connection' | 'server'): void {
    if (this.#away) return;
    this.#away = true;
    this.#events.onDropped(this.#trouble ? 'server' : fault);
  }

  #tellBack(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#events.onResumed();
  }

  #fail(problem: Problem): void {
    if (this.#over) return;
    this.close();
    this.#events.onProblem(problem);
  }

  #say(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #isCurrent(socket: WebSocket): boolean {
    return !this.#over && socket === this.#socket;
  }
}

type Timer = ReturnType<typeof setTimeout> | undefined;

/** Where the ingest socket of the server that served this page is. */
export function ingestUrl(page: { protocol: string; host: string }): string {
  return `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${page.host}/ingest`;
}
