import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram } from '../setup/run-program.mjs';
import { freePort } from './ports.mjs';
import { SupervisedProcess } from './supervised-process.mjs';

/** Chunks that wait to be decoded are the bulk of it, and each session's are bounded. */
const MAX_MEMORY = '1gb';
/** Longest path of a socket in bytes, on any system (unix(7): 108 with its end, 104 elsewhere). */
const MAX_SOCKET_PATH = 100;
/** Lines that Redis itself marks as less than a warning, and those of an orderly stop. */
const CHATTER =
  /^\d+:\w .{24} [.*-] |signal-handler|requested shutdown|ready to exit|is starting|Redis version|Configuration loaded|Server initialized|Memory overcommit/;

/**
 * Starts a Redis that only who knows its password can use. Its log outlives it, so that sessions
 * survive its death; started again by the supervisor, it has the same port and password.
 *
 * @param {string} runDir in memory: where its log is, which has every chunk, and its socket, which
 *   spares each command the network's layers
 * @param {Pick<import('./supervised-process.mjs').ProcessOptions, 'onLine' | 'onGivenUp'>} listeners
 * @returns {Promise<{ url: string, process: SupervisedProcess, ready: Promise<unknown> }>}
 *   `ready` resolves when it takes connections
 */
export async function startPrivateRedis(runDir, { onLine, onGivenUp }) {
  const port = await freePort();
  const password = randomBytes(24).toString('hex');
  const directory = join(runDir, 'redis');
  mkdirSync(directory, { recursive: true });
  // In a file and not among the arguments, which every user of the machine can read.
  const config = join(directory, 'redis.conf');
  const socket = join(runDir, 'redis.sock');
  const hasSocket = Buffer.byteLength(socket) <= MAX_SOCKET_PATH;
  const settings = redisConfig({ port, password, directory });
  const listening = hasSocket ? `unixsocket "${socket}"\nunixsocketperm 700\n` : '';
  writeFileSync(config, settings + listening, { mode: 0o600 });

  const events = new EventEmitter();
  let isUp = false;
  const redis = new SupervisedProcess({
    name: 'redis',
    ...endsWithUs('redis-server', [config]),
    env: process.env,
    onLine: (name, line) => {
      if (line.includes('Ready to accept connections')) {
        isUp = true;
        events.emit('ready');
      }
      // Its long welcome matters to nobody, unless it fails: then `onGivenUp` has it.
      if (isUp && !CHATTER.test(line)) onLine(name, line);
    },
    onGivenUp,
  });
  return {
    url: `redis://:${password}@127.0.0.1:${port}${hasSocket ? `?path=${encodeURIComponent(socket)}` : ''}`,
    process: redis,
    ready: once(events, 'ready'),
  };
}

/** @param {{ port: number, password: string, directory: string }} settings */
function redisConfig({ port, password, directory }) {
  return `bind 127.0.0.1
port ${port}
requirepass ${password}
dir "${directory}"
appendonly yes
# What is written survives the death of Redis; a stream does not outlive the machine's.
appendfsync no
# Memory on a small machine, and a shorter past: it is written anew as soon as it is twice what it need be.
auto-aof-rewrite-min-size 4mb
save ""
maxmemory ${MAX_MEMORY}
maxmemory-policy noeviction
`;
}

/**
 * Where the kernel can do it, a program without an IPC channel is ended with its parent.
 *
 * @param {string} program
 * @param {string[]} args
 */
function endsWithUs(program, args) {
  return hasProgram('setpriv')
    ? { program: 'setpriv', args: ['--pdeathsig', 'TERM', program, ...args] }
    : { program, args };
}
