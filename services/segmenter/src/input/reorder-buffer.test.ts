import type { RenderedEntry } from '@facecast/shared/protocol/messages';
import { describe, expect, test } from 'vitest';
import { ReorderBuffer, MAX_EARLY_BATCHES } from './reorder-buffer.js';
import { renderedBatch } from '../testing/cadence.js';

const logged = (batch: number, id = `${batch}-0`) => ({ id, entry: renderedBatch(batch) });
const end = (batches: number) => ({
  id: 'end',
  entry: { kind: 'end', batches, frames: batches * 3 } satisfies RenderedEntry,
});

function takeAll(order: ReorderBuffer): number[] {
  const taken = [];
  for (let next = order.take(); next; next = order.take()) taken.push(next.batch.batch);
  return taken;
}

describe('the order of batches', () => {
  test('batches come out by number, whatever order they came in', () => {
    const order = new ReorderBuffer(0);
    for (const batch of [2, 0, 4, 1, 3]) order.accept(logged(batch));
    expect(takeAll(order)).toEqual([0, 1, 2, 3, 4]);
  });

  test('a batch waits for the one before it', () => {
    const order = new ReorderBuffer(0);
    order.accept(logged(1));
    expect(order.take()).toBeUndefined();
    expect(order.missing).toBe(0);
    order.accept(logged(0));
    expect(order.missing).toBeUndefined();
    expect(takeAll(order)).toEqual([0, 1]);
  });

  test('the first of two batches with one number is used, and the other reported as repeated', () => {
    const order = new ReorderBuffer(0);
    expect(order.accept(logged(0, 'first'))).toBe('held');
    expect(order.accept(logged(0, 'second'))).toBe('repeated');
    expect(order.take()?.id).toBe('first');
    expect(order.accept(logged(0, 'third'))).toBe('published');
    expect(order.take()).toBeUndefined();
  });

  test('a successor begins where its predecessor stopped', () => {
    const order = new ReorderBuffer(7);
    expect(order.accept(logged(6))).toBe('published');
    order.accept(logged(7));
    expect(takeAll(order)).toEqual([7]);
  });

  test('the end comes after every batch before it', () => {
    const order = new ReorderBuffer(0);
    order.accept(end(2));
    order.accept(logged(1));
    expect(order.end).toBeUndefined();
    expect(order.missing).toBe(0);
    order.accept(logged(0));
    takeAll(order);
    expect(order.end).toMatchObject({ batches: 2, frames: 6 });
    expect(order.missing).toBeUndefined();
  });

  test('no batch is missing if no later one has arrived', () => {
    expect(new ReorderBuffer(3).missing).toBeUndefined();
  });

  test('the number of early batches is bounded', () => {
    const order = new ReorderBuffer(0);
    for (let batch = 1; batch <= MAX_EARLY_BATCHES; batch++) order.accept(logged(batch));
    expect(() => order.accept(logged(MAX_EARLY_BATCHES + 1))).toThrow('fell too far behind');
  });
});
