import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DirectoryFrameStore, frameBytes, type BatchRef } from './frame-store.js';

const ref: BatchRef = { sessionId: 'one', batch: 7, kind: 'decoded' };
let root: string;
let store: DirectoryFrameStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'frame-store-'));
  store = new DirectoryFrameStore(root);
});
afterEach(() => rm(root, { recursive: true }));

test('a frame is its Y plane and two quarter planes', () => {
  expect(frameBytes(640, 480)).toBe(460_800);
});

test('a batch comes back as it was written, and its kinds are apart', async () => {
  await store.openSession('one');
  expect(await store.write(ref, Buffer.from('frames'))).toBe(true);
  expect(await store.read(ref)).toEqual(Buffer.from('frames'));
  expect(await store.read({ ...ref, kind: 'marked' })).toBeUndefined();
});

test('a batch is read into the buffer that it is given, if it fits', async () => {
  await store.openSession('one');
  await store.write(ref, Buffer.from('frames'));
  const buffer = Buffer.from('older and longer');
  const read = await store.read(ref, buffer);
  expect(read).toEqual(Buffer.from('frames'));
  expect(buffer.toString()).toBe('framesand longer');
  expect(await store.read(ref, Buffer.alloc(3))).toEqual(Buffer.from('frames'));
});

test('a batch written twice is whole, and nothing unfinished stays', async () => {
  await store.openSession('one');
  await store.write(ref, Buffer.from('first'));
  await store.write(ref, Buffer.from('second'));
  expect(await store.read(ref)).toEqual(Buffer.from('second'));
  expect(await readdir(join(root, 'one'))).toEqual(['7.decoded']);
});

test('a batch that is written several times at once is whole whenever it is there', async () => {
  await store.openSession('one');
  const frames = Array.from({ length: 8 }, (_, n) => Buffer.alloc(2_000_000, n));
  let writing = true;
  const written = Promise.all(frames.map((bytes) => store.write(ref, bytes))).finally(() => {
    writing = false;
  });
  const sizes = new Set<number>();
  while (writing) {
    const read = await store.read(ref);
    if (read) sizes.add(read.length);
  }
  expect(await written).toEqual(frames.map(() => true));
  sizes.add((await store.read(ref))!.length);
  expect([...sizes]).toEqual([2_000_000]);
});

test('a batch that replaces a larger one has its own size', async () => {
  await store.openSession('one');
  await store.write(ref, Buffer.from('older and longer'));
  await store.remove(ref);
  expect(await store.read(ref)).toBeUndefined();
  const next = { ...ref, batch: 8 };
  await store.write(next, Buffer.from('frames'));
  expect(await store.read(next)).toEqual(Buffer.from('frames'));
});

test('a session keeps at most one file of each kind of its removed batches', async () => {
  await store.openSession('one');
  const refs = Array.from({ length: 5 }, (_, batch) => ({ ...ref, batch }));
  for (const one of refs) await store.write(one, Buffer.from('frames'));
  for (const one of refs) await store.remove(one);
  expect(await readdir(join(root, 'one'))).toHaveLength(1);
});

test('a session that was removed accepts no more batches', async () => {
  await store.openSession('one');
  await store.write(ref, Buffer.from('frames'));
  await store.removeSession('one');
  expect(await store.write(ref, Buffer.from('late'))).toBe(false);
  expect(await store.sessions()).toEqual([]);
});

test('removing what is not there is no error', async () => {
  await store.remove(ref);
  await store.removeSession('nobody');
});
