import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ServerMessage, Stats } from '@facecast/shared/protocol/ingest-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket as NodeWebSocket, WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { sessionCalled } from '../testing/sessions.js';
import type { Chunk } from './chunk-outbox.js';
import { IngestConnection, ingestUrl } from './ingest-connection.js';
import { INGEST_LIMITS, type IngestLimits } from './ingest-limits.js';

const STARTED: ServerMessage = sessionCalled('s1');
const START = { type: 'start', mimeType: 'video/webm', effect: 'blur' } as const;

let server: WebSocketServer;
let connection: IngestConnection | undefined;

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
});

afterEach(async () => {
  connection?.close();
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

describe('a session’s connection', () => {
  test('begins with start, and sends chunks in order once the server has started the session', async () => {
    const { told } = open();
    const peer = await accept();
    expect(await peer.hears()).toEqual({ type: 'start', mimeType: 'video/webm', effect: 'blur' });
    peer.say(STARTED);
    expect(await told.next()).toEqual(['started', STARTED]);
    for (const number of [0, 1, 2]) connection!.send(chunk(number));
    expect([await peer.hears(), await peer.hears(), await peer.hears()]).toEqual([0, 1, 2]);
  });

  test('passes on playlist_ready, stats and ended, and nothing after the end', async () => {
    const { peer, told } = await started();
    const stats = { type: 'stats', faces: 2 } as Stats;
    peer.say({ type: 'playlist_ready', sessionId: 's1', playlistUrl: '/hls/s1/live.m3u8' });
    peer.say(stats);
    expect(await told.next()).toEqual(['playlist_ready']);
    expect(await told.next()).toEqual(['stats', stats]);
    connection!.changeEffect('pixelate');
    connection!.stop();
    expect(await peer.hears()).toEqual({ type: 'effect', effect: 'pixelate' });
    expect(await peer.hears()).toEqual({ type: 'stop' });
    peer.say({ type: 'ended', frames: 30 });
    expect(await told.next()).toEqual(['ended', 30]);
    await peer.closed;
    expect(told.pending).toEqual([]);
  });

  test('that is lost is resumed, and what the server does not have is sent again', async () => {
    const { peer, told } = await started();
    for (const number of [0, 1, 2]) connection!.send(chunk(number));
    for (const number of [0, 1, 2]) expect(await peer.hears()).toBe(number);
    peer.say({ type: 'ack', chunks: 1 });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    connection!.send(chunk(3));
    connection!.changeEffect('none');
    const next = await accept();
    expect(await next.hears()).toEqual({ type: 'resume', sessionId: 's1', resumeToken: 'secret' });
    next.say({ type: 'resumed', chunks: 2 });
    expect(await told.next()).toEqual(['resumed']);
    connection!.send(chunk(4));
    expect(await next.hears()).toEqual({ type: 'effect', effect: 'none' });
    expect([await next.hears(), await next.hears(), await next.hears()]).toEqual([2, 3, 4]);
  });

  test('hides everything at once, and says so again on the next connection, before any chunk', async () => {
    const { peer, told } = await started();
    connection!.hide(true);
    expect(await peer.hears()).toEqual({ type: 'hide', hidden: true });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    connection!.send(chunk(0));
    const next = await accept();
    await next.hears();
    next.say({ type: 'resumed', chunks: 0 });
    expect(await next.hears()).toEqual({ type: 'hide', hidden: true });
    expect(await next.hears()).toBe(0);
  });

  test('goes on with a session that another page began, where that one stopped', async () => {
    const own = { sessionId: 's1', resumeToken: 'secret' };
    const { told } = open({}, serverUrl(), { type: 'resume', ...own });
    const peer = await accept();
    expect(await peer.hears()).toEqual({ type: 'resume', ...own });
    peer.say({ type: 'resumed', chunks: 41 });
    expect(await told.next()).toEqual(['resumed']);
    connection!.send(chunk(1, 'video/mp4'));
    expect(await peer.hears()).toEqual({ type: 'restart', mimeType: 'video/mp4' });
    expect(await peer.hears()).toBe(1);
    peer.say({ type: 'ack', chunks: 42 });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    const next = await accept();
    await next.hears();
    next.say({ type: 'resumed', chunks: 42 });
    connection!.send(chunk(2));
    expect(await next.hears()).toBe(2);
  });

  test('says where another recording begins, and says it again with the chunk', async () => {
    const { peer, told } = await started();
    const restart = { type: 'restart', mimeType: 'video/mp4' };
    connection!.send(chunk(0));
    connection!.send(chunk(1, 'video/mp4'));
    connection!.send(chunk(2));
    expect(await peer.hears()).toBe(0);
    expect(await peer.hears()).toEqual(restart);
    expect([await peer.hears(), await peer.hears()]).toEqual([1, 2]);
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    const next = await accept();
    await next.hears();
    next.say({ type: 'resumed', chunks: 1 });
    expect(await next.hears()).toEqual(restart);
    expect([await next.hears(), await next.hears()]).toEqual([1, 2]);
  });

  test('says stop once more after it was lost while ending', async () => {
    const { peer, told } = await started();
    connection!.stop();
    expect(await peer.hears()).toEqual({ type: 'stop' });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    const next = await accept();
    await next.hears();
    next.say({ type: 'resumed', chunks: 0 });
    expect(await next.hears()).toEqual({ type: 'stop' });
  });

  test('that is lost for good is given up after its window', async () => {
    const { peer, told } = await started({ resumeForMs: 60, retryEveryMs: 10 });
    server.on('connection', (socket) => socket.terminate());
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    expect(await told.next()).toEqual(['problem', 'connection_lost']);
  });

  test('that comes back too late says that the session is gone', async () => {
    const { peer, told } = await started();
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    const next = await accept();
    await next.hears();
    next.say({ type: 'error', code: 'not_found', message: '' });
    expect(await told.next()).toEqual(['problem', 'session_gone']);
  });

  test('whose server falls silent after statistics counts as lost', async () => {
    const { peer, told } = await started({ silenceMs: 30 });
    peer.say({ type: 'stats' } as Stats);
    expect((await told.next())[0]).toBe('stats');
    expect(await told.next()).toEqual(['dropped', 'connection']);
  });

  test('whose server says nothing for a while, and then goes on, was never lost', async () => {
    const { peer, told } = await started({ quietMs: 30 });
    peer.say({ type: 'stats' } as Stats);
    expect((await told.next())[0]).toBe('stats');
    expect(await told.next()).toEqual(['dropped', 'server']);
    peer.say({ type: 'ack', chunks: 0 });
    expect(await told.next()).toEqual(['resumed']);
  });

  test('that a server in trouble breaks off is resumed once the trouble is over', async () => {
    const { peer, told } = await started({ retryEveryMs: 10 });
    peer.say({ type: 'error', code: 'internal', message: 'Redis is gone' });
    expect(await told.next()).toEqual(['dropped', 'server']);
    for (const code of ['internal', 'overloaded'] as const) {
      const next = await accept();
      expect(await next.hears()).toMatchObject({ type: 'resume' });
      next.say({ type: 'error', code, message: 'still gone' });
    }
    const next = await accept();
    expect(await next.hears()).toMatchObject({ type: 'resume' });
    next.say({ type: 'resumed', chunks: 0 });
    expect(await told.next()).toEqual(['resumed']);
  });

  test('of a session that ended for an error of the server says so', async () => {
    const { peer, told } = await started();
    peer.say({ type: 'error', code: 'internal', message: '' });
    expect(await told.next()).toEqual(['dropped', 'server']);
    const next = await accept();
    await next.hears();
    next.say({ type: 'error', code: 'not_found', message: '' });
    expect(await told.next()).toEqual(['problem', 'internal']);
  });

  test('that the server refuses tells why, once', async () => {
    const { told } = open();
    const peer = await accept();
    peer.say({ type: 'error', code: 'too_many_sessions', message: 'full' });
    expect(await told.next()).toEqual(['problem', 'too_many_sessions']);
    await peer.closed;
    expect(told.pending).toEqual([]);
  });

  test('to a server that is not there says that it could not be reached', async () => {
    const { told } = open({}, 'ws://127.0.0.1:9/ingest');
    expect(await told.next()).toEqual(['problem', 'unreachable']);
  });

  test('is stopped with its reason when the server takes too little for too long', async () => {
    const { told } = await started({ keptBytes: 1_000 });
    connection!.send({ bytes: new ArrayBuffer(600) });
    connection!.send({ bytes: new ArrayBuffer(600) });
    expect(await told.next()).toEqual(['problem', 'uplink_too_slow']);
  });

  test('sends no more than the server acknowledges in time, and stop after all of it', async () => {
    const { peer } = await started({ inFlightBytes: 16, promptBytes: 16 });
    for (const number of [0, 1, 2, 3]) connection!.send(chunk(number));
    connection!.stop();
    expect([await peer.hears(), await peer.hears()]).toEqual([0, 1]);
    peer.say({ type: 'ack', chunks: 1 });
    expect(await peer.hears()).toBe(2);
    peer.say({ type: 'ack', chunks: 3 });
    expect([await peer.hears(), await peer.hears()]).toEqual([3, { type: 'stop' }]);
  });

  test('forgets what was not sent, so that another recording is there at once', async () => {
    const { peer } = await started({ inFlightBytes: 8, promptBytes: 8 });
    for (const number of [0, 1, 2]) connection!.send(chunk(number));
    expect(connection!.uplink).toMatchObject({ waitingBytes: 24, acknowledgedBytes: 0 });
    connection!.dropUnsent();
    connection!.send(chunk(3, 'video/webm'));
    expect(await peer.hears()).toBe(0);
    peer.say({ type: 'ack', chunks: 1 });
    expect(await peer.hears()).toEqual({ type: 'restart', mimeType: 'video/webm' });
    expect(await peer.hears()).toBe(3);
    expect(connection!.uplink).toMatchObject({ waitingBytes: 8, acknowledgedBytes: 8 });
  });

  test('does not wait for ever for the end', async () => {
    const { told } = await started({ endMs: 30 });
    connection!.stop();
    expect(await told.next()).toEqual(['problem', 'end_unconfirmed']);
  });
});

test('the ingest socket is on the page’s own host, encrypted where the page is', () => {
  expect(ingestUrl({ protocol: 'http:', host: 'localhost:4000' })).toBe(
    'ws://localhost:4000/ingest',
  );
  expect(ingestUrl({ protocol: 'https:', host: 'example.org' })).toBe('wss://example.org/ingest');
});

function open(
  limits: Partial<IngestLimits> = {},
  url = serverUrl(),
  first: ConstructorParameters<typeof IngestConnection>[1] = START,
): { told: Inbox<unknown[]> } {
  const told = new Inbox<unknown[]>();
  connection = new IngestConnection(
    () => new NodeWebSocket(url) as unknown as WebSocket,
    first,
    {
      onStarted: (session) => told.put(['started', session]),
      onPlaylistReady: () => told.put(['playlist_ready']),
      onStats: (stats) => told.put(['stats', stats]),
      onDropped: (fault) => told.put(['dropped', fault]),
      onResumed: () => told.put(['resumed']),
      onEnded: (frames) => told.put(['ended', frames]),
      onProblem: (problem) => told.put(['problem', problem]),
    },
    { ...INGEST_LIMITS, ...limits },
  );
  return { told };
}

async function started(
  limits: Partial<IngestLimits> = {},
): Promise<{ peer: Peer; told: Inbox<unknown[]> }> {
  const { told } = open(limits);
  const peer = await accept();
  await peer.hears();
  peer.say(STARTED);
  await told.next();
  return { peer, told };
}

function serverUrl(): string {
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function accept(): Promise<Peer> {
  const [socket] = (await once(server, 'connection')) as [ServerSocket];
  return new Peer(socket);
}

function chunk(number: number, mimeType?: string): Chunk {
  return { bytes: new Uint8Array(8).fill(number).buffer, mimeType };
}

/** The server's end: hears messages as objects and chunks as their number. */
class Peer {
  readonly closed: Promise<unknown>;
  readonly #socket: ServerSocket;
  readonly #heard = new Inbox<unknown>();

  constructor(socket: ServerSocket) {
    this.#socket = socket;
    this.closed = once(socket, 'close');
    socket.on('message', (data: Buffer, isBinary) =>
      this.#heard.put(isBinary ? data[0] : JSON.parse(data.toString())),
    );
  }

  hears(): Promise<unknown> {
    return this.#heard.next();
  }

  say(message: ServerMessage): void {
    this.#socket.send(JSON.stringify(message));
  }

  drop(): void {
    this.#socket.terminate();
  }
}

/** What has come, one at a time, waiting for what is still to come. */
class Inbox<T> {
  readonly pending: T[] = [];
  #waiting: ((item: T) => void) | undefined;

  put(item: T): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(item);
    else this.pending.push(item);
  }

  next(): Promise<T> {
    const item = this.pending.shift();
    return item === undefined
      ? new Promise((resolve) => (this.#waiting = resolve))
      : Promise.resolve(item);
  }
}
