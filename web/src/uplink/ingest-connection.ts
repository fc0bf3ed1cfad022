import type {
  ClientMessage,
  Effect,
  ServerMessage,
  Stats,
} from '@facecast/shared/protocol/ingest-protocol';
import type { Uplink } from './adaptation.js';
import { ChunkOutbox, type Chunk, type OutboxLimits } from './chunk-outbox.js';
import { problemOfCode, type Problem } from '../problem.js';
import type { Session } from './session.js';

/** The bounds of a connection. Bytes are of media, times in milliseconds. */
export interface IngestLimits extends OutboxLimits {
  /** A socket that has not opened by then counts as failed. */
  openMs: number;
  /** A server that has sent statistics and then says nothing for so long has trouble of its own. */
  quietMs: number;
  /** One that goes on saying nothing for so long has been lost. */
  silenceMs: number;
  /** How long a lost connection is tried again: as long as the server keeps the session. */
  resumeForMs: number;
  /** Between two tries. */
  retryEveryMs: number;
  /** How long the server may take to finish what it was sent. */
  endMs: number;
}

export const INGEST_LIMITS: IngestLimits = {
  // More than the 15 s of a lost connection at 2.5 Mbit/s.
  keptBytes: 12 * 1024 * 1024,
  // A slow connection is not to be full of what is too much for it: this is 1.3 s of 300 kbit/s.
  inFlightBytes: 48 * 1024,
  promptBytes: 512 * 1024,
  promptMs: 300,
  openMs: 5_000,
  quietMs: 3_000,
  silenceMs: 8_000,
  resumeForMs: 15_000,
  retryEveryMs: 500,
  endMs: 30_000,
};

/** What a connection tells. `onEnded` or `onProblem` comes once, and nothing after it. */
export interface IngestEvents {
  onStarted(session: Session): void;
  onPlaylistReady(): void;
  onStats(stats: Stats): void;
  /** The server does not take chunks at the moment, or does not say so. */
  onDropped(): void;
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
  /** The last change of effect: the server may not have it when a connection is lost. */
  #effect: Effect | undefined;
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
    start: Extract<ClientMessage, { type: 'start' }>,
    events: IngestEvents,
    limits = INGEST_LIMITS,
  ) {
    this.#openSocket = openSocket;
    this.#events = events;
    this.#limits = limits;
    this.#outbox = new ChunkOutbox(limits);
    this.#connect(start);
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
        const { sessionId, resumeToken, playlistUrl, watchUrl, recording } = message;
        this.#session = { sessionId, resumeToken };
        const session = { sessionId, playlistUrl, watchUrl };
        this.#events.onStarted(
          recording ? { ...session, recording: { ...recording, resumeToken } } : session,
        );
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
    this.#tellAway();
  }

  #resume(): void {
    if (this.#over || !this.#session) return;
    this.#connect({ type: 'resume', ...this.#session });
  }

  #expectMoreSoon(): void {
    const socket = this.#socket;
    this.#tellBack();
    for (const timer of [this.#quiet, this.#silence]) clearTimeout(timer);
    this.#quiet = setTimeout(() => this.#tellAway(), this.#limits.quietMs);
    this.#silence = setTimeout(() => socket && this.#onLost(socket), this.#limits.silenceMs);
  }

  #tellAway(): void {
    if (this.#away) return;
    this.#away = true;
    this.#events.onDropped();
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
