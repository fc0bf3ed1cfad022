import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram } from '../setup/run-program.mjs';
import { keptAdminToken } from './admin-token.mjs';
import {
  lockDataDirectory,
  makeRunDirectory,
  removeUnhiddenOrphans,
  requireMemory,
} from './directories.mjs';
import { FatalError } from './fatal-error.mjs';
import { createLogPrinter } from './log-printer.mjs';
import { findMemoryDirectory, whyTooSmall } from './memory.mjs';
import { missingService, tellMissingService } from './missing-service.mjs';
import { whyPortIsUnusable } from './ports.mjs';
import { startPrivateRedis } from './private-redis.mjs';
import { untilReady } from './ready.mjs';
import { rebuildOnChange } from './rebuild.mjs';
import { mainOf, placeServices, SERVICES, settingsOf } from './services.mjs';
import { SupervisedProcess } from './supervised-process.mjs';

/** How long the services may take to be ready, even on a slow machine, in milliseconds. */
const READY_WITHIN_MS = 300_000;

/** Only this user may read the files of this process and all that it starts. */
const PRIVATE_UMASK = 0o077;

/**
 * Runs Redis and every service until `stop` is aborted, says so once all are ready, and leaves no process
 * behind.
 *
 * @param {import('./config.mjs').StartConfig} config
 * @param {import('./start-options.mjs').StartOptions} options
 * @param {AbortSignal} stop
 * @throws {FatalError} if it cannot start, or one of them does not stay up
 */
export async function runSystem(config, { without, dev }, stop) {
  const services = placeServices(config, without);
  for (const { host, port } of services) {
    const problem = await whyPortIsUnusable(port, host);
    if (problem !== undefined) throw new FatalError(`${problem}: set PORT or HOST to another`);
  }
  for (const [setting, directory] of Object.entries({
    FRAMES_DIR: config.framesDir,
    HLS_DIR: config.hlsDir,
  }))
    requireMemory(setting, directory);
  process.umask(PRIVATE_UMASK);
  forbidCoreDumps();
  const unlock = lockDataDirectory(config.dataDir);
  removeUnhiddenOrphans(config.dataDir);
  const isAdminTokenSet = process.env['ADMIN_TOKEN'] || process.env['ADMIN_TOKEN_FILE'];
  const admin = isAdminTokenSet ? undefined : keptAdminToken(config.dataDir);
  const memory = findMemoryDirectory();
  const runDir = makeRunDirectory(memory);
  const framesDir = config.framesDir ?? join(runDir, 'frames');
  const hlsDir = config.hlsDir ?? join(runDir, 'hls');
  for (const directory of [framesDir, hlsDir]) mkdirSync(directory, { recursive: true });
  const tooSmall = whyTooSmall(config.framesDir ?? memory ?? runDir);
  if (tooSmall !== undefined) console.log(tooSmall);
  const onLine = await createLogPrinter();
  const end = endOf(stop);
  /** @type {{ service: string, process: SupervisedProcess }[]} */
  const running = [];
  let forget = () => {};
  try {
    let redisUrl = config.redisUrl;
    if (redisUrl === undefined) {
      const redis = await startPrivateRedis(runDir, {
        onLine,
        onGivenUp: end.because,
      });
      running.push({ service: 'redis', process: redis.process });
      redisUrl = redis.url;
      await Promise.race([redis.ready, end.reached]);
    }
    const system = { ...config, redisUrl, hlsDir, framesDir };
    for (const place of end.signal.aborted ? [] : services) {
      const { name, service } = place;
      const settings = {
        ...settingsOf(place, system),
        ...(admin && service === 'gateway' && { ADMIN_TOKEN_FILE: admin.file }),
      };
      if (service === without) {
        const missing = missingService(service, settings, process.env);
        forget = tellMissingService(config.dataDir, service, missing);
        continue;
      }
      const env = { ...process.env, ...settings };
      const started = { name, program: process.execPath, args: [mainOf(service)], env };
      running.push({
        service,
        process: new SupervisedProcess({
          ...{ ...started, channel: true, onLine, onGivenUp: end.because },
        }),
      });
    }
    if (dev)
      void rebuildOnChange(end.signal, async (changed) => {
        const due = running.filter(({ service }) => changed.includes(service));
        await Promise.all(due.map((one) => one.process.restart()));
      });
    // A person starts the missing service, and may take any time.
    untilReady(services, end.signal, without === undefined ? READY_WITHIN_MS : Infinity).then(
      () => {
        if (isOpenToAll(config.host)) console.log(OPEN_TO_ALL);
        if (admin) console.log(`admin token ${admin.token} (kept in ${admin.file})`);
        console.log(`ready http://localhost:${config.port}`);
      },
      (error) => end.because(error.message),
    );
    await end.reached;
  } finally {
    for (const service of [...SERVICES, 'redis'])
      await Promise.all(
        running.filter((one) => one.service === service).map((one) => one.process.stop()),
      );
    forget();
    rmSync(runDir, { recursive: true, force: true });
    unlock();
  }
  if (end.reason !== undefined) throw new FatalError(end.reason);
}

/**
 * Whether everybody who can reach this machine may publish.
 *
 * @param {string} host
 */
function isOpenToAll(host) {
  const isLocal = host === '::1' || host.startsWith('127.');
  return (
    !isLocal &&
    !['PUBLISH_TOKEN', 'PUBLISH_TOKEN_FILE', 'PUBLISHERS_FILE'].some((key) => process.env[key])
  );
}

const OPEN_TO_ALL =
  'whoever reaches this machine may publish, and see what they know the address of: set PUBLISH_TOKEN';

/** A core dump would write frames to a disk. All that this process starts inherits the limit. */
function forbidCoreDumps() {
  if (hasProgram('prlimit')) spawnSync('prlimit', ['--core=0:0', '--pid', `${process.pid}`]);
}

/**
 * The end of the run: `stop` was aborted, or there is a reason that makes it a failure.
 *
 * @param {AbortSignal} stop
 */
function endOf(stop) {
  const failed = new AbortController();
  const signal = AbortSignal.any([stop, failed.signal]);
  const end = {
    signal,
    /** @type {string | undefined} */
    reason: undefined,
    /** @param {string} reason */
    because: (reason) => {
      if (signal.aborted) return;
      end.reason = reason;
      failed.abort();
    },
    reached: new Promise((resolve) => {
      if (signal.aborted) resolve(undefined);
      else signal.addEventListener('abort', resolve, { once: true });
    }),
  };
  return end;
}
