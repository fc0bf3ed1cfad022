import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Stack } from './stack.js';

const REPOSITORY = new URL('../../..', import.meta.url).pathname;

/** A running `npm run push`. */
export interface Push {
  sessionId: string;
  /** For a private session: a link to the page, and one for players. */
  links: string[];
  /** Resolves to the exit code when it ends by itself. */
  ended: Promise<number>;
  /** Ctrl-C: the session ends in order. */
  stop(): Promise<number>;
}

interface PushOptions {
  effect?: string;
  loop?: boolean;
  record?: boolean;
  isPrivate?: boolean;
}

/** Publishes a file at its own speed; resolves when its playlist can be played. */
export async function startPush(
  stack: Pick<Stack, 'ingestUrl'>,
  file: string,
  options: PushOptions = {},
): Promise<Push> {
  for (;;) {
    const push = await tryPush(stack, file, options);
    // A machine that is too busy refuses; people try again.
    if (push) return push;
  }
}

/** Resolves to undefined if the machine is too busy. */
async function tryPush(
  stack: Pick<Stack, 'ingestUrl'>,
  file: string,
  { effect = 'box', loop = false, record = false, isPrivate = false }: PushOptions,
): Promise<Push | undefined> {
  const chosen = { '--loop': loop, '--record': record, '--private': isPrivate };
  const switches = Object.entries(chosen).flatMap(([name, isOn]) => (isOn ? [name] : []));
  const options = ['--url', stack.ingestUrl, '--effect', effect, ...switches];
  const push = spawn('node', ['scripts/push.mjs', file, ...options], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(push, 'close').then(([code]) => Number(code));
  const links: string[] = [];
  let isRefused = false;
  createInterface({ input: push.stderr }).on('line', (line) => {
    if (line.startsWith('The face search cannot keep up')) isRefused = true;
    else console.error(line);
  });
  const sessionId = await new Promise<string | undefined>((resolve, reject) => {
    createInterface({ input: push.stdout }).on('line', (line) => {
      const link = /^(?:player )?link (.*)$/.exec(line)?.[1];
      if (link !== undefined) links.push(link);
      const ready = /^playlist_ready .*\/hls\/([\w-]+)\//.exec(line)?.[1];
      if (ready !== undefined) resolve(ready);
    });
    void ended.then((code) => {
      if (isRefused) resolve(undefined);
      else reject(new Error(`npm run push ended with ${code}`));
    });
  });
  if (sessionId === undefined) return undefined;
  let isStopped = false;
  return {
    sessionId,
    links,
    ended,
    stop: () => {
      // A second SIGINT would not wait for the session's end.
      if (!isStopped) push.kill('SIGINT');
      isStopped = true;
      return ended;
    },
  };
}
