import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { RecentParts } from './recent-parts.js';

let directory: string;
let now: number;
const part = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'facecast-parts-'));
});
beforeEach(async () => {
  now = 0;
  for (const name of ['a', 'b', 'c']) await writeFile(part(name), name.repeat(10));
});
afterAll(() => rm(directory, { recursive: true }));

describe('a part', () => {
  test('is read once for all who want it in the same instant', async () => {
    const parts = new RecentParts();
    const all = await Promise.all([parts.read(part('a')), parts.read(part('a'))]);
    expect(all[0]).toBe(all[1]);
    expect(String(all[0].bytes)).toBe('aaaaaaaaaa');
    expect(await parts.read(part('a'))).toBe(all[0]);
  });

  test('that is not there is looked for again the next time', async () => {
    const parts = new RecentParts();
    await expect(parts.read(part('late'))).rejects.toThrow('ENOENT');
    await writeFile(part('late'), 'now');
    expect(String((await parts.read(part('late'))).bytes)).toBe('now');
  });

  test('is not kept longer than a second', async () => {
    const parts = new RecentParts(1_000, () => now);
    await parts.read(part('a'));
    await rm(part('a'));
    now = 1_000;
    await parts.read(part('a'));
    now = 1_001;
    await expect(parts.read(part('a'))).rejects.toThrow('ENOENT');
  });

  test('leaves memory by then, also if nobody asks for another one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const parts = new RecentParts(1_000, () => now);
    await parts.read(part('a'));
    expect(parts.bytes).toBe(10);
    now = 1_001;
    vi.advanceTimersByTime(1_001);
    vi.useRealTimers();
    expect(parts.bytes).toBe(0);
  });

  test('gives way to newer ones when there are too many bytes', async () => {
    const parts = new RecentParts(25, () => now);
    for (const name of ['a', 'b', 'c']) await parts.read(part(name));
    for (const name of ['a', 'b', 'c']) await rm(part(name));
    await expect(parts.read(part('a'))).rejects.toThrow('ENOENT');
    expect(String((await parts.read(part('b'))).bytes)).toBe('bbbbbbbbbb');
  });
});
