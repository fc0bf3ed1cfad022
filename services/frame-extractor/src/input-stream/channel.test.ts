import { expect, test } from 'vitest';
import { Channel } from './channel.js';

test('items of all producers come in order, and a producer waits until its item is dealt with', async () => {
  const channel = new Channel<string>();
  const settled: string[] = [];
  const puts = ['one', 'two'].map(async (item) => {
    if (await channel.put(item)) settled.push(item);
  });
  const steps = channel[Symbol.asyncIterator]();
  expect((await steps.next()).value).toBe('one');
  expect(settled).toEqual([]);
  expect((await steps.next()).value).toBe('two');
  await puts[0];
  expect(settled).toEqual(['one']);
  const rest = steps.next();
  await puts[1];
  void channel.put('three');
  expect((await rest).value).toBe('three');
});

test('a consumer that leaves, or a channel that is closed, keeps no producer waiting', async () => {
  const left = new Channel<string>();
  const taken = left.put('taken');
  for await (const item of left) if (item === 'taken') break;
  expect(await taken).toBe(false);

  const closed = new Channel<string>();
  const waiting = closed.put('waiting');
  closed.close();
  expect(await waiting).toBe(false);
  expect(await closed.put('late')).toBe(false);
  for await (const item of closed) expect(item).toBeUndefined();
});
