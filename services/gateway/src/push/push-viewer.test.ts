import type { WebSocket } from 'ws';
import { expect, test } from 'vitest';
import { PushViewer, type PushedInit, type PushedPart } from './push-viewer.js';

const INIT: PushedInit = {
  mimeType: 'video/mp4; codecs="avc1.42c01e"',
  bytes: Buffer.from('init'),
};
const OTHER: PushedInit = { ...INIT, bytes: Buffer.from('other') };

/** A socket that keeps what it is given, and takes nothing while `bufferedAmount` says so. */
class FakeSocket {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  closed: number | undefined;
  send(data: string | Buffer): void {
    const text = data.toString();
    this.sent.push(text.startsWith('{') ? (JSON.parse(text) as { type: string }).type : text);
  }
  close(code: number): void {
    this.closed = code;
  }
}

const viewerWith = (maxBuffered: number) => {
  const socket = new FakeSocket();
  return { socket, viewer: new PushViewer(socket as unknown as WebSocket, maxBuffered) };
};
const part = (name: string, isIndependent = false, init = INIT): PushedPart => ({
  ...{ init, bytes: Buffer.from(name), isIndependent },
  date: isIndependent ? { mediaTime: 1, date: 2 } : undefined,
});

test('a viewer gets the initialization section, each part, and again a section where it is another', () => {
  const { socket, viewer } = viewerWith(100);
  viewer.send(part('k1', true));
  viewer.send(part('1.1'));
  viewer.send(part('k2', true, OTHER));
  viewer.end();
  expect(socket.sent).toEqual([
    'init',
    'init',
    'date',
    'k1',
    '1.1',
    'init',
    'other',
    'date',
    'k2',
    'ended',
  ]);
  expect(socket.closed).toBe(1000);
});

test('nothing piles up for a viewer who cannot keep up: it goes on at a key frame, and is told of the gap', () => {
  const { socket, viewer } = viewerWith(100);
  viewer.send(part('k1', true));
  socket.sent.length = 0;
  socket.bufferedAmount = 200_000;
  viewer.send(part('1.1'));
  viewer.send(part('k2', true));
  expect(socket.sent).toEqual([]);
  socket.bufferedAmount = 0;
  viewer.send(part('2.1'));
  expect(socket.sent).toEqual([]);
  viewer.send(part('k3', true));
  viewer.send(part('3.1'));
  expect(socket.sent).toEqual(['gap', 'date', 'k3', '3.1']);
});

test('a viewer of a stream that misses parts goes on at the next key frame', () => {
  const { socket, viewer } = viewerWith(100);
  viewer.send(part('k1', true));
  viewer.leaveGap();
  viewer.send(part('1.2'));
  viewer.send(part('k2', true));
  expect(socket.sent.slice(4)).toEqual(['gap', 'date', 'k2']);
});
