import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram } from '../setup/run-program.mjs';
import { freePort } from './ports.mjs';
import { SupervisedProcess } from './supervised-process.mjs';

/**
 * Redis's `maxmemory`. Most of it is for chunks that are not decoded yet, which are bounded for each
 * session.
 */
const MAX_MEMORY = '1gb';
/** Longest path of a socket in bytes, on any system (unix(7): 108 with its end, 104 elsewhere). */
const MAX_SOCKET_PATH = 100;
/** Matches Redis's log lines below a warning, and those of an orderly stop. */
const CHATTER =
  /^\d+:\w .{24} [.*-] |signal-handler|requested shutdown|ready to exit|is starting|Redis version|Configuration loaded|Server initialized|Memory overcommit/;

/**
 * Starts a Redis with a password. Its log outlives its process, so that sessions survive its death. When
 * the supervisor starts it again, it has the same port and password.
 *
 * @param {string} runDir a directory in memory for its log, which has every chunk, and its socket, which is
 *   faster than TCP
 * @param {Pick<import('./supervised-process.mjs').ProcessOptions, 'onLine' | 'onGivenUp'>} listeners
 * @returns {Promise<{ url: string, process: SupervisedProcess, ready: Promise<unknown> }>} `ready` resolves
 *   when it accepts connections
 */
export async function startPrivateRedis(runDir, { onLine, onGivenUp }) {
  const port = await freePort();
  const password = randomBytes(24).toString('hex');
  const directory = join(runDir, 'redis');
  mkdirSync(directory, { recursive: true });
  // In a file, because every user of the machine can read the arguments.
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
      // Its start-up messages matter only if it fails, and then `onGivenUp` has them.
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
# The page cache survives the death of Redis, and no stream survives the machine's.
appendfsync no
# The log is in memory, so it is rewritten as soon as it is twice as long as it need be.
auto-aof-rewrite-min-size 4mb
save ""
maxmemory ${MAX_MEMORY}
maxmemory-policy noeviction
`;
}

/**
 * Wraps a command so that it ends with this process, if the kernel can do that: Redis has no IPC channel.
 *
 * @param {string} program
 * @param {string[]} args
 */
function endsWithUs(program, args) {
  return hasProgram('setpriv')
    ? { program: 'setpriv', args: ['--pdeathsig', 'TERM', program, ...args] }
    : { program, args };
}
