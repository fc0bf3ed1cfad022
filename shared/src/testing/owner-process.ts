import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { redisUrl } from './worker-redis.js';

/** Starts a replica in a process of its own. It prints which sessions it owns, and which it gives up. */
export async function startOwner() {
  const child = spawn('node', ['--input-type=module', '--eval', OWNER], {
    env: { ...process.env, REDIS_URL: redisUrl },
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = new Set<string>();
  const news = new EventEmitter();
  createInterface(child.stdout).on('line', (line) => {
    said.add(line);
    news.emit('line');
  });
  const says = async (line: string) => {
    while (!said.has(line)) await once(news, 'line');
  };
  await says('ready');
  const heard = (line: string) => said.has(line);
  return { says, heard, kill: (signal: NodeJS.Signals = 'SIGKILL') => child.kill(signal) };
}

/**
 * Program of a replica that owns each session for ever. `moving` makes progress, `hopeless` fails,
 * `fragile` fails if the process stood still; ending a session that was given up never finishes.
 */
const OWNER = `
  import { Redis } from 'ioredis';
  import { pino } from 'pino';
  import { SessionStage } from '../../dist/lease/session-stage.js';
  const forEver = () => new Promise(() => {});
  const stoodStill = () => new Promise((_, reject) => {
    let at = performance.now();
    setInterval(() => {
      if (performance.now() - at > 1_000) reject(new Error('I stood still'));
      at = performance.now();
    }, 10);
  });
  new SessionStage({
    queue: 'decode',
    concurrency: 4,
    redis: new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null }),
    log: { ...pino({ level: 'silent' }), error() {}, warn() {}, info: ({ sessionId }, text) => console.log(\`\${text} \${sessionId}\`) },
    verdictOf: ({ message }) => message,
    work: async (lease) => {
      const { sessionId } = lease;
      if (sessionId === 'hopeless') throw new Error('hopeless');
      if (sessionId === 'moving') lease.progressed();
      const fails = sessionId === 'fragile' && stoodStill();
      console.log(sessionId);
      if (fails) await fails;
      await forEver();
    },
    end: ({ sessionId }) => {
      console.log(\`gave \${sessionId} up\`);
      return forEver();
    },
  });
  console.log('ready');`;
