import { expect, test } from 'vitest';
import { ChunkBacklog } from './chunk-backlog.js';

const LIMITS = { unacknowledgedChunks: 4, unacknowledgedBytes: 100 };
const chunk = (size: number) => ({
  bytes: Buffer.alloc(size),
  arrivedAt: 0,
  mimeType: undefined,
});

test('all arrived chunks are taken at once, as soon as there is one', async () => {
  const backlog = new ChunkBacklog(LIMITS);
  const first = backlog.take();
  backlog.add(chunk(1));
  expect(await first).toHaveLength(1);
  backlog.add(chunk(2));
  backlog.add(chunk(3));
  expect((await backlog.take()).map(({ bytes }) => bytes.length)).toEqual([2, 3]);
});

test('it is full by chunks or by bytes, and what is being stored counts until it is stored', async () => {
  const backlog = new ChunkBacklog(LIMITS);
  backlog.add(chunk(10));
  expect(backlog.fill).toBe(0.25);
  backlog.add(chunk(110));
  expect(backlog.fill).toBe(1.2);
  await backlog.take();
  expect(backlog.fill).toBe(1.2);
  backlog.add(chunk(10));
  backlog.stored();
  expect(backlog.fill).toBe(0.25);
});

test('closed, it gives what is left, then nothing; abandoned, nothing', async () => {
  for (const [end, left] of [
    ['close', 1],
    ['abandon', 0],
  ] as const) {
    const backlog = new ChunkBacklog(LIMITS);
    backlog.add(chunk(1));
    backlog[end]();
    backlog.add(chunk(2));
    expect(await backlog.take()).toHaveLength(left);
    expect(await backlog.take()).toEqual([]);
  }
});

test('empty chunks wait for one with bytes, and are given without one at the end', async () => {
  const backlog = new ChunkBacklog(LIMITS);
  const first = backlog.take({ withBytes: true });
  backlog.add(chunk(0));
  backlog.add(chunk(3));
  expect((await first).map(({ bytes }) => bytes.length)).toEqual([0, 3]);
  backlog.stored();
  const rest = backlog.take({ withBytes: true });
  backlog.add(chunk(0));
  backlog.close();
  expect(await rest).toEqual([]);
});

test('a wait for a chunk ends when no more come', async () => {
  const backlog = new ChunkBacklog(LIMITS);
  const chunks = backlog.take();
  backlog.close();
  expect(await chunks).toEqual([]);
});
