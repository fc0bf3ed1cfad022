import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryFrameStore } from '@facecast/shared/frame-store';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SoundSource } from './sound-source.js';

const sessionId = 'session';

describe('the sound of a batch', () => {
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
    const source = new SoundSource(store, sessionId, 60_000);
    const looks = vi.spyOn(store, 'read');
    const read = source.readNew(0);
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(3));
    await write(0);
    expect(await read).toEqual(Buffer.from('0'));
  });

  test('that does not come is waited for once, until some is there again', async () => {
    const source = new SoundSource(store, sessionId, 20);
    expect(await source.readNew(0)).toBeUndefined();
    const looks = vi.spyOn(store, 'read');
    expect(await source.readNew(1)).toBeUndefined();
    expect(looks).toHaveBeenCalledTimes(2);
    // Too late for its own turn.
    await write(1);
    looks.mockClear();
    expect(await source.readNew(2)).toBeUndefined();
    expect(looks.mock.calls.length).toBeGreaterThan(2);
  });
});
