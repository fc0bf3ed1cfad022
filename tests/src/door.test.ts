import { once } from 'node:events';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { describe, expect, test } from 'vitest';
import { stackAndClip } from './support/fixtures.js';
import { HostileClient } from './support/hostile-client.js';
import { TestPublisher } from './support/test-publisher.js';
import { startLive } from './support/live-session.js';
import { processesUnder } from './support/processes.js';
import { startStack, type Stack } from './support/stack.js';

const MIB = 1024 * 1024;
/** Number of sockets of each kind that the hostile client opens. */
const HOSTILE = 60;

const live = stackAndClip(450);

/** Addresses at which a stack's processes listen, as the kernel writes them: 0100007F is 127.0.0.1. */
async function listening(stack: Stack): Promise<string[]> {
  const pids = [stack.pid, ...(await processesUnder(stack.pid)).map(({ pid }) => pid)];
  const inodes = new Set((await Promise.all(pids.map(socketsOf))).flat());
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')),
  );
  const LISTEN = '0A';
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode = '']) => state === LISTEN && inodes.has(inode))
    .map(([, local = '']) => local);
}

async function socketsOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(
    names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')),
  );
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

const portOf = (stack: Stack) => Number(new URL(stack.url).port);
const isLoopback = (address: string) => address.startsWith('0100007F:');
const hexPort = (address: string) => Number.parseInt(address.split(':')[1] ?? '', 16);

describe('the system listens', () => {
  test('at loopback alone, unless HOST says otherwise', async () => {
    const addresses = await listening(live.stack);
    expect(addresses.map(hexPort)).toContain(portOf(live.stack));
    expect(addresses.filter((address) => !isLoopback(address))).toEqual([]);
  });

  test('with HOST=0.0.0.0, at all addresses for the page, and for nothing else', async () => {
    const stack = await startStack({ HOST: '0.0.0.0' });
    const wide = (await listening(stack)).filter((address) => !isLoopback(address));
    expect(wide.map(hexPort)).toEqual([portOf(stack)]);
    await stack.stop();
  });
});

test('the admin token is made, only its user can read it, and it lists the sessions', async () => {
  const file = `${live.stack.dataDir}/admin-token`;
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const list = (token: string) =>
    fetch(`${live.stack.url}/api/sessions`, { headers: { authorization: `Bearer ${token}` } });
  expect((await list((await readFile(file, 'utf8')).trim())).status).toBe(200);
  expect((await list('another')).status).toBe(401);
});

test('a page of another name that resolves to this server learns nothing, and cannot publish', async () => {
  const headers = { host: `rebound.example:${portOf(live.stack)}` };
  // The page's port, those of the services behind it, and that of Redis, which speaks to no browser.
  const ports = new Set((await listening(live.stack)).map(hexPort));
  const answers = await Promise.all(
    [...ports].map(async (port) => {
      const asked = request({ port, host: '127.0.0.1', path: '/metrics', headers }).end();
      const answered = once(asked, 'response') as Promise<[{ statusCode: number }]>;
      return answered.then(
        ([{ statusCode }]) => statusCode,
        ({ code }: NodeJS.ErrnoException) => code,
      );
    }),
  );
  expect(answers.filter((answer) => answer === 421).length).toBeGreaterThanOrEqual(4);
  expect(answers.filter((answer) => answer !== 421 && answer !== 'ECONNRESET')).toEqual([]);
  const socket = new WebSocket(live.stack.ingestUrl, {
    headers: { ...headers, origin: 'http://rebound.example' },
  });
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toContain('421');
});

test('a session that is deleted while it runs is not found from then on, and leaves no file', async () => {
  const publisher = await TestPublisher.connect(live.stack.ingestUrl);
  publisher.send({ type: 'start', mimeType: 'video/webm', effect: 'blur', record: true });
  const { sessionId, resumeToken, playlistUrl } = await publisher.message('started');
  const sending = publisher.sendMedia(await readFile(live.clip));
  await publisher.message('playlist_ready');
  const { url, hlsDir, dataDir } = live.stack;
  const folders = [join(hlsDir, sessionId), join(dataDir, 'recordings', sessionId)];
  await expect.poll(() => folders.map((each) => existsSync(each))).toEqual([true, true]);
  const deleted = await fetch(`${url}/api/sessions/${sessionId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${resumeToken}` },
  });
  expect(deleted.status).toBe(204);
  for (const path of [playlistUrl, `/api/sessions/${sessionId}`, `/watch/${sessionId}`])
    expect((await fetch(url + path)).status).toBe(404);
  await publisher.closed();
  await sending;
  await expect.poll(() => folders.filter((each) => existsSync(each))).toEqual([]);
});

test('beside idle starts, slow sockets, giant first messages and wrong tokens, one honest publisher and viewer lose no frame', async () => {
  const gateway = (await processesUnder(live.stack.pid)).find(({ command }) =>
    command.includes('services/gateway'),
  );
  const resident = async () => {
    const status = await readFile(`/proc/${gateway?.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  };
  const before = await resident();
  const hostile = new HostileClient(live.stack);
  await hostile.openSockets(HOSTILE);
  const session = await startLive(live.stack, await readFile(live.clip));
  const wrong = await Promise.all(Array.from({ length: 300 }, () => hostile.guessToken()));
  const peak = await resident();
  const frames = await session.finish();
  expect(await session.viewer.numbers()).toEqual(Array.from({ length: frames }, (_, n) => n));
  expect(frames).toBe(450);
  expect(new Set(wrong)).toEqual(new Set([401, 429]));
  // The hostile client sent 360 MiB, of which 32 may be kept; the session needs some, too.
  expect(peak - before).toBeLessThan(180 * MIB);
  console.log(
    `gateway: ${Math.round(before / MIB)} MiB before, ${Math.round(peak / MIB)} MiB at its peak`,
  );
  hostile.leave();
});
