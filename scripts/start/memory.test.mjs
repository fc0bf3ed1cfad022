import { expect, test } from 'vitest';
import { whyTooSmall } from './memory.mjs';

const bsize = 4096;
/** @param {number} megabytes */
const blocks = (megabytes) => Math.ceil((megabytes * 1_000_000) / bsize);

test('the directory in memory that Docker makes is reported as too small, with its size and what is needed', () => {
  const volume = { blocks: blocks(67), bavail: blocks(60), bsize };
  expect(whyTooSmall('/dev/shm', volume)).toMatch(
    /^\/dev\/shm has 67 MB, of which 60 MB are free: .* needs 512 MB .*--shm-size=1g/,
  );
});

test('a large one that something else fills is reported, too', () => {
  const volume = { blocks: blocks(8000), bavail: blocks(511), bsize };
  expect(whyTooSmall('/dev/shm', volume)).toMatch(/8000 MB, of which 511 MB are free/);
});

test('one with space for a session is not', () => {
  const volume = { blocks: blocks(1000), bavail: blocks(512), bsize };
  expect(whyTooSmall('/dev/shm', volume)).toBeUndefined();
});
