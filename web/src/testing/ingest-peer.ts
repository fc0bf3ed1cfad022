import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SAFE_MESSAGE_BYTES, type ServerMessage } from '@facecast/shared/protocol/ingest-protocol';
import { afterEach, beforeEach } from 'vitest';
import { WebSocket as NodeWebSocket, WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { IngestConnection } from '../uplink/ingest-connection.js';
import type { Chunk } from '../uplink/chunk-outbox.js';
import { UPLINK_LIMITS, type UplinkLimits } from '../uplink/uplink-limits.js';
import { sessionCalled } from './session-called.js';

export const STARTED = sessionCalled('s1');
export const START = { type: 'start', mimeType: 'video/webm', effect: 'blur' } as const;

/** A connection under test: to the test's own server, with what it tells in `told`. */
export interface Tested {
  connection: IngestConnection;
  told: Inbox<unknown[]>;
}

/** Gives a test file a server, and connections to it that are closed after each test. */
export function useIngestServer() {
  let server: WebSocketServer;
  const connections: IngestConnection[] = [];

  beforeEach(async () => {
    // As strict as one may be.
    const maxPayload = SAFE_MESSAGE_BYTES;
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload });
    await once(server, 'listening');
  });

  afterEach(async () => {
    for (const connection of connections.splice(0)) connection.close();
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  });

  const serverUrl = () => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const open = (
    limits: Partial<UplinkLimits> = {},
    begin: ConstructorParameters<typeof IngestConnection>[1] = START,
    url = serverUrl(),
  ): Tested => {
    const told = new Inbox<unknown[]>();
    const connection = new IngestConnection(
      () => new NodeWebSocket(url) as unknown as WebSocket,
      begin,
      {
        onStarted: (session) => told.put(['started', session]),
        onPlaylistReady: () => told.put(['playlist_ready']),
        onStats: (stats) => told.put(['stats', stats]),
        onDropped: (fault) => told.put(['dropped', fault]),
        onResumed: () => told.put(['resumed']),
        onEnded: (frames) => told.put(['ended', frames]),
        onProblem: (problem) => told.put(['problem', problem]),
      },
      { ...UPLINK_LIMITS, ...limits },
    );
    connections.push(connection);
    return { connection, told };
  };

  const accept = async (): Promise<Peer> => {
    const [socket] = (await once(server, 'connection')) as [ServerSocket];
    return new Peer(socket);
  };

  return {
    open,
    /** The server's end of the next socket. */
    accept,
    /** Opens a connection whose session the server has started. */
    started: async (
      limits: Partial<UplinkLimits> = {},
      session = STARTED,
    ): Promise<Tested & { peer: Peer }> => {
      const tested = open(limits);
      const peer = await accept();
      await peer.hears();
      peer.say(session);
      await tested.told.next();
      return { ...tested, peer };
    },
    /** From now on the server hangs up at once. */
    hangUp: () => server.on('connection', (socket) => socket.terminate()),
  };
}

/** A chunk whose bytes are all `number`, as the peer hears it. */
export function chunk(number: number, mimeType?: string): Chunk {
  return { bytes: new Uint8Array(8).fill(number).buffer, mimeType };
}

/** The server's end: hears messages as objects and chunks as their number. */
export class Peer {
  readonly closed: Promise<unknown>;
  private readonly socket: ServerSocket;
  private readonly heard = new Inbox<unknown>();

  constructor(socket: ServerSocket) {
    this.socket = socket;
    this.closed = once(socket, 'close');
    socket.on('message', (data: Buffer, isBinary) =>
      this.heard.put(isBinary ? data[0] : JSON.parse(data.toString())),
    );
  }

  hears(): Promise<unknown> {
    return this.heard.next();
  }

  say(message: ServerMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  drop(): void {
    this.socket.terminate();
  }
}

/** What has come, one at a time, waiting for what is still to come. */
class Inbox<T> {
  readonly pending: T[] = [];
  private waiting: ((item: T) => void) | undefined;

  put(item: T): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting) waiting(item);
    else this.pending.push(item);
  }

  next(): Promise<T> {
    const item = this.pending.shift();
    return item === undefined
      ? new Promise((resolve) => (this.waiting = resolve))
      : Promise.resolve(item);
  }
}
