import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { OwnedProcess } from './child-process.js';
import { confinesNetwork } from './confinement.js';

test('a program gets its input and ends by itself when the input does', async () => {
  const cat = new OwnedProcess('cat', []);
  const output = text(cat.stdout);
  await cat.write(Buffer.from('frames'));
  cat.endInput();
  expect(await output).toBe('frames');
  expect(await cat.exited).toEqual({ code: 0, signal: null, closedByUs: false, lastLines: [] });
});

test('a program that dies is told apart from one that was closed', async () => {
  const died = new OwnedProcess('sh', ['-c', 'kill -9 $$']);
  expect(await died.exited).toMatchObject({ signal: 'SIGKILL', closedByUs: false });

  const closed = new OwnedProcess('cat', []);
  expect(await closed.close()).toMatchObject({ signal: 'SIGKILL', closedByUs: true });
});

test('closing twice, and after the end, is no error', async () => {
  const cat = new OwnedProcess('cat', []);
  const [first, second] = await Promise.all([cat.close(), cat.close()]);
  expect(second).toEqual(first);
  expect(await cat.close()).toEqual(first);
});

test('a program that is not there is reported like one that died', async () => {
  const missing = new OwnedProcess('no-such-program', []);
  const exit = await missing.exited;
  expect(exit).toMatchObject({ signal: null, closedByUs: false });
  expect(exit.code).not.toBe(0);
  expect(exit.lastLines.join()).toMatch(/no-such-program/);
  await missing.write(Buffer.from('nobody reads this'));
});

test('the last lines of its log are kept, and no more', async () => {
  const noisy = new OwnedProcess('sh', ['-c', 'for i in $(seq 1 500); do echo line $i >&2; done']);
  const { lastLines } = await noisy.exited;
  expect(lastLines).toHaveLength(20);
  expect(lastLines.at(-1)).toBe('line 500');
});

test('a writer waits for a slow program, and waits no longer when it dies', async () => {
  const stuck = new OwnedProcess('sh', ['-c', 'echo up; exec sleep 60']);
  await once(stuck.stdout, 'data');
  const writing = stuck.write(Buffer.alloc(10_000_000));
  const first = await Promise.race([writing.then(() => 'written'), Promise.resolve('waiting')]);
  expect(first).toBe('waiting');
  await stuck.close();
  await writing;
});

test('a program knows none of our secrets', async () => {
  const before = process.env['REDIS_URL'];
  process.env['REDIS_URL'] = 'redis://:secret@localhost';
  const env = new OwnedProcess('env', []);
  const variables = (await text(env.stdout)).trim().split('\n');
  expect(variables.map((line) => line.split('=')[0])).toContain('PATH');
  expect(variables.join()).not.toMatch(/REDIS|secret/);
  if (before === undefined) delete process.env['REDIS_URL'];
  else process.env['REDIS_URL'] = before;
});

// prlimit exists on every Linux, and only there.
test.runIf(process.platform === 'linux')(
  'a program can write no file and no core, and its memory is limited',
  async () => {
    const path = join(tmpdir(), `facecast-confined-${process.pid}`);
    const script = `ulimit -c; ulimit -f; ulimit -d; exec 2>&1; echo picture > ${path}`;
    const writer = new OwnedProcess('sh', ['-c', script]);
    expect((await text(writer.stdout)).split('\n').slice(0, 3)).toEqual(['0', '0', '4194304']);
    expect((await writer.exited).code).not.toBe(0);
    expect(statSync(path).size).toBe(0);
    rmSync(path);
  },
);

test.runIf(confinesNetwork())('a program has no network', async () => {
  const reader = new OwnedProcess('cat', ['/proc/net/dev']);
  const interfaces = (await text(reader.stdout)).trim().split('\n').slice(2);
  expect(interfaces.map((line) => line.trim().split(':')[0])).toEqual(['lo']);
});
