import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { root } from '../setup/paths.mjs';
import { missingService, tellMissingService } from './missing-service.mjs';
import { placeServices, SERVICES, settingsOf } from './services.mjs';

const SYSTEM = {
  ...{ host: '127.0.0.1', port: 4000, recordingsDir: "/data/it's $HOME/recordings" },
  ...{ redisUrl: 'redis://:secret@127.0.0.1:6400?path=%2Frun%2Fsock', hlsDir: '/run/hls' },
  framesDir: '/run/frames',
};
const ENV = { FPS: '25', PUBLISH_TOKEN: 'a secret', EDITOR: 'vi', RECORDINGS_DIR: '/elsewhere' };

/** @param {string} service */
function missing(service) {
  const place = placeServices({ ...SYSTEM, detectorReplicas: 3 }, service).find(
    (one) => one.service === service,
  );
  if (place === undefined) throw new Error(`${service} has no place`);
  return missingService(service, settingsOf(place, SYSTEM), ENV);
}

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'facecast-missing-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/**
 * Runs the command in a shell, with another program named `node`; returns the arguments and environment it
 * was given. @param {string} command
 */
function runWithoutNode(command) {
  const node = join(directory, 'node');
  const tell = `process.stdout.write(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), env: process.env, umask: process.umask() }))`;
  writeFileSync(node, `#!${process.execPath}\n${tell}\n`, { mode: 0o755 });
  const PATH = [directory, process.env['PATH']].join(delimiter);
  return JSON.parse(execFileSync('sh', ['-c', command], { env: { PATH }, encoding: 'utf8' }));
}

describe('the command that runs a service which was left out', () => {
  test.each(SERVICES)('starts %s with a debugger, in the environment of the others', (service) => {
    const { command, settings } = missing(service);
    const { args, cwd, env, umask } = runWithoutNode(command);
    expect(args).toEqual([
      ...['--inspect', '--enable-source-maps'],
      `services/${service}/dist/main.js`,
    ]);
    expect(cwd).toBe(root);
    expect(umask).toBe(0o077);
    expect(env).toMatchObject(settings);
    expect(env).toMatchObject({
      ...{ REDIS_URL: SYSTEM.redisUrl, HLS_DIR: '/run/hls', FRAMES_DIR: '/run/frames' },
      ...{ FPS: '25', RECORDINGS_DIR: SYSTEM.recordingsDir, OPS_HOST: '127.0.0.1' },
    });
  });

  test('has its own health port: that of the first of several detectors', () => {
    const ports = SERVICES.map((service) => missing(service).settings['OPS_PORT']);
    expect(ports).toEqual(['4000', '4001', '4003', '4002']);
  });

  test('has no secret that a person has set, and says so', () => {
    const { command, unprinted } = missing('gateway');
    expect(unprinted).toEqual(['PUBLISH_TOKEN']);
    expect(command).not.toContain('a secret');
    expect(command).not.toContain('EDITOR');
  });

  test("is printed, and is in a file of its owner's for the editor until the system ends", () => {
    const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { command, ...others } = missing('segmenter');
    const forget = tellMissingService(directory, 'segmenter', { command, ...others });
    expect(printed.mock.calls.flat().join('\n')).toContain(command);
    printed.mockRestore();
    const file = join(directory, 'segmenter.env');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain('OPS_PORT="4002"\n');
    forget();
    expect(() => statSync(file)).toThrow('ENOENT');
  });
});
