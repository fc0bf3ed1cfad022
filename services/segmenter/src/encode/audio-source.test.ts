import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AudioSource } from './audio-source.js';

const sessionId = 'session';
const never = new AbortController().signal;

describe('the audio of a batch', () => {
  let root: string;
  let store: DirectoryFrameStore;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'facecast-sound-source-'));
    store = new DirectoryFrameStore(root);
    await store.openSession(sessionId);
  });
  afterEach(() => rm(root, { recursive: true }));

  const write = (batch: number) =>
    store.write({ sessionId, batch, kind: 'sound' }, Buffer.from(`${batch}`));

  test('may come after its pictures', async () => {
    const source = new AudioSource(store, sessionId, () => true, 60_000);
    const looks = vi.spyOn(store, 'read');
    const read = source.readNew(0, never);
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(3));
    await write(0);
    expect(await read).toEqual(Buffer.from('0'));
  });

  test('that is late is waited for as long as no later batch has arrived', async () => {
    let othersWait = false;
    const source = new AudioSource(store, sessionId, () => othersWait, 1);
    const looks = vi.spyOn(store, 'read');
    const read = source.readNew(0, never);
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(5));
    await write(0);
    expect(await read).toEqual(Buffer.from('0'));
    const next = source.readNew(1, never);
    othersWait = true;
    expect(await next).toBeUndefined();
  });

  test('is not waited for after an abort', async () => {
    const stopping = new AbortController();
    const read = new AudioSource(store, sessionId, () => false).readNew(0, stopping.signal);
    stopping.abort();
    expect(await read).toBeUndefined();
  });

  test('that does not come is waited for only once, until some comes again', async () => {
    const source = new AudioSource(store, sessionId, () => true, 20);
    expect(await source.readNew(0, never)).toBeUndefined();
    const looks = vi.spyOn(store, 'read');
    expect(await source.readNew(1, never)).toBeUndefined();
    expect(looks).toHaveBeenCalledTimes(2);
    // Too late for its own turn.
    await write(1);
    looks.mockClear();
    expect(await source.readNew(2, never)).toBeUndefined();
    expect(looks.mock.calls.length).toBeGreaterThan(2);
  });
});
