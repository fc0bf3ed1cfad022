import { createServer } from 'node:http';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ensureYunetModel } from './yunet-model.mjs';

const directory = mkdtempSync(join(tmpdir(), 'facecast-yunet-'));
/** @type {import('node:http').Server[]} */
const servers = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(directory, { recursive: true, force: true });
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** @param {import('node:http').RequestListener} answer */
async function addressOf(answer) {
  const server = createServer(answer);
  servers.push(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}/`;
}

/** @param {string[]} addresses */
async function linesOf(addresses) {
  vi.stubEnv('YUNET_MODEL', '');
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await ensureYunetModel({ directory, addresses });
  const lines = log.mock.calls.map(([line]) => String(line));
  log.mockRestore();
  return lines;
}

test('a file with another content is not kept, and one line says so', async () => {
  const other = await addressOf((_, response) => response.end('something else'));
  const gone = await addressOf((_, response) => response.writeHead(404).end());
  expect(await linesOf([gone, other])).toEqual([
    'YuNet could not be fetched (it is another file): faces are found by BlazeFace',
  ]);
  expect(await linesOf([other, gone])).toEqual([
    'YuNet could not be fetched (HTTP 404): faces are found by BlazeFace',
  ]);
  expect(readdirSync(directory)).toEqual([]);
});

test('a server that never answers is given up', async () => {
  const silent = await addressOf(() => {});
  const [line] = await linesOf([silent]);
  expect(line).toMatch(
    /^YuNet could not be fetched \(.*timeout.*\): faces are found by BlazeFace$/,
  );
});

test('nothing is fetched if YUNET_MODEL names another network', async () => {
  vi.stubEnv('YUNET_MODEL', join(directory, 'own.onnx'));
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await ensureYunetModel({ directory, addresses: ['http://127.0.0.1:1/'] });
  expect(log).not.toHaveBeenCalled();
});
