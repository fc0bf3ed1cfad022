import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import { describe, expect, test } from 'vitest';
import { chunk, useIngestServer } from '../testing/ingest-peer.js';
import { sessionCalled } from '../testing/session-called.js';

const { accept, hangUp, open, started } = useIngestServer();

describe('a session’s connection', () => {
  test('that is lost is resumed, and what the server does not have is sent again', async () => {
    const { connection, peer, told } = await started();
    for (const number of [0, 1, 2]) connection.send(chunk(number));
    for (const number of [0, 1, 2]) expect(await peer.hears()).toBe(number);
    peer.say({ type: 'ack', chunks: 1 });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    connection.send(chunk(3));
    connection.changeEffect('none');
    const next = await accept();
    expect(await next.hears()).toEqual({ type: 'resume', sessionId: 's1', resumeToken: 'secret' });
    next.say({ type: 'resumed', chunks: 2 });
    expect(await told.next()).toEqual(['resumed']);
    connection.send(chunk(4));
    expect(await next.hears()).toEqual({ type: 'effect', effect: 'none' });
    expect([await next.hears(), await next.hears(), await next.hears()]).toEqual([2, 3, 4]);
  });

  test('hides everything at once, and says so again on the next connection, before any chunk', async () => {
    const { connection, peer, told } = await started();
    connection.hide(true);
    expect(await peer.hears()).toEqual({ type: 'hide', hidden: true });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    connection.send(chunk(0));
    const next = await accept();
    await next.hears();
    next.say({ type: 'resumed', chunks: 0 });
    expect(await next.hears()).toEqual({ type: 'hide', hidden: true });
    expect(await next.hears()).toBe(0);
  });

  test('goes on with a session that another page began, where that one stopped', async () => {
    const own = { sessionId: 's1', resumeToken: 'secret' };
    const { connection, told } = open({}, { ...own, resumeSeconds: 15 });
    const peer = await accept();
    expect(await peer.hears()).toEqual({ type: 'resume', ...own });
    peer.say({ type: 'resumed', chunks: 41 });
    expect(await told.next()).toEqual(['resumed']);
    connection.send(chunk(1, 'video/mp4'));
    expect(await peer.hears()).toEqual({ type: 'restart', mimeType: 'video/mp4' });
    expect(await peer.hears()).toBe(1);
    peer.say({ type: 'ack', chunks: 42 });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    const next = await accept();
    await next.hears();
    next.say({ type: 'resumed', chunks: 42 });
    connection.send(chunk(2));
    expect(await next.hears()).toBe(2);
  });

  test('says where another input stream begins, and says it again with the chunk', async () => {
    const { connection, peer, told } = await started();
    const restart = { type: 'restart', mimeType: 'video/mp4' };
    connection.send(chunk(0));
    connection.send(chunk(1, 'video/mp4'));
    connection.send(chunk(2));
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
    const { connection, peer, told } = await started();
    connection.stop();
    expect(await peer.hears()).toEqual({ type: 'stop' });
    peer.drop();
    expect(await told.next()).toEqual(['dropped', 'connection']);
    const next = await accept();
    await next.hears();
    next.say({ type: 'resumed', chunks: 0 });
    expect(await next.hears()).toEqual({ type: 'stop' });
  });

  test('that is lost for good is given up after the time that the server keeps it', async () => {
    const { peer, told } = await started(
      { retryEveryMs: 10 },
      sessionCalled('s1', { resumeSeconds: 0.06 }),
    );
    hangUp();
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
});
