import { SAFE_MESSAGE_BYTES, type Stats } from '@facecast/shared/protocol/ingest-protocol';
import { describe, expect, test } from 'vitest';
import { chunk, START, STARTED, useIngestServer } from '../testing/ingest-peer.js';
import { ingestUrl } from './ingest-connection.js';

const { accept, open, started } = useIngestServer();

describe('a session’s connection', () => {
  test('begins with start, and sends chunks in order once the server has started the session', async () => {
    const { connection, told } = open();
    const peer = await accept();
    expect(await peer.hears()).toEqual({ type: 'start', mimeType: 'video/webm', effect: 'blur' });
    peer.say(STARTED);
    expect(await told.next()).toEqual(['started', STARTED]);
    for (const number of [0, 1, 2]) connection.send(chunk(number));
    expect([await peer.hears(), await peer.hears(), await peer.hears()]).toEqual([0, 1, 2]);
  });

  test('passes on playlist_ready, stats and ended, and nothing after the end', async () => {
    const { connection, peer, told } = await started();
    const stats = { type: 'stats', faces: 2 } as Stats;
    peer.say({ type: 'playlist_ready', sessionId: 's1', playlistUrl: '/hls/s1/live.m3u8' });
    peer.say(stats);
    expect(await told.next()).toEqual(['playlist_ready']);
    expect(await told.next()).toEqual(['stats', stats]);
    connection.changeEffect('pixelate');
    connection.stop();
    expect(await peer.hears()).toEqual({ type: 'effect', effect: 'pixelate' });
    expect(await peer.hears()).toEqual({ type: 'stop' });
    peer.say({ type: 'ended', frames: 30 });
    expect(await told.next()).toEqual(['ended', 30]);
    await peer.closed;
    expect(told.pending).toEqual([]);
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
    const { told } = open({}, START, 'ws://127.0.0.1:9/ingest');
    expect(await told.next()).toEqual(['problem', 'unreachable']);
  });

  test('is stopped with its reason when the server takes too little for too long', async () => {
    const { connection, told } = await started({ keptBytes: 1_000 });
    connection.send({ bytes: new ArrayBuffer(600) });
    connection.send({ bytes: new ArrayBuffer(600) });
    expect(await told.next()).toEqual(['problem', 'uplink_too_slow']);
  });

  test('bears what a recorder hands out at once after the machine slept', async () => {
    const { connection, peer } = await started({ promptBytes: 5_000_000 });
    connection.send({ bytes: new Uint8Array(4_500_000).fill(7).buffer });
    connection.send(chunk(8));
    for (let n = 0; n < Math.ceil(4_500_000 / SAFE_MESSAGE_BYTES); n++)
      expect(await peer.hears()).toBe(7);
    expect(await peer.hears()).toBe(8);
  });

  test('sends no more than the server acknowledges in time, and stop after all of it', async () => {
    const { connection, peer } = await started({ inFlightBytes: 16, promptBytes: 16 });
    for (const number of [0, 1, 2, 3]) connection.send(chunk(number));
    connection.stop();
    expect([await peer.hears(), await peer.hears()]).toEqual([0, 1]);
    peer.say({ type: 'ack', chunks: 1 });
    expect(await peer.hears()).toBe(2);
    peer.say({ type: 'ack', chunks: 3 });
    expect([await peer.hears(), await peer.hears()]).toEqual([3, { type: 'stop' }]);
  });

  test('forgets what was not sent, so that another input stream is there at once', async () => {
    const { connection, peer } = await started({ inFlightBytes: 8, promptBytes: 8 });
    for (const number of [0, 1, 2]) connection.send(chunk(number));
    expect(connection.uplink).toMatchObject({ unacknowledgedBytes: 24, acknowledgedBytes: 0 });
    connection.dropUnsent();
    connection.send(chunk(3, 'video/webm'));
    expect(await peer.hears()).toBe(0);
    peer.say({ type: 'ack', chunks: 1 });
    expect(await peer.hears()).toEqual({ type: 'restart', mimeType: 'video/webm' });
    expect(await peer.hears()).toBe(3);
    expect(connection.uplink).toMatchObject({ unacknowledgedBytes: 8, acknowledgedBytes: 8 });
  });

  test('does not wait for ever for the end', async () => {
    const { connection, told } = await started({ endMs: 30 });
    connection.stop();
    expect(await told.next()).toEqual(['problem', 'end_unconfirmed']);
  });
});

test('the ingest socket is on the page’s own host, encrypted where the page is', () => {
  expect(ingestUrl({ protocol: 'http:', host: 'localhost:4000', pathname: '/' })).toBe(
    'ws://localhost:4000/ingest',
  );
  expect(ingestUrl({ protocol: 'https:', host: 'example.org', pathname: '/facecast/' })).toBe(
    'wss://example.org/facecast/ingest',
  );
});
