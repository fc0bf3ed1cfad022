import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Stack } from './stack.js';

const REPOSITORY = new URL('../../..', import.meta.url).pathname;

/** A running `npm run push`. */
export interface Push {
  sessionId: string;
  /** Of a private session, a link to the page and one for players. */
  links: string[];
  /** Resolves to the exit code when it ends by itself. */
  ended: Promise<number>;
  /** Ctrl-C: the session ends in order. */
  stop(): Promise<number>;
}

/** Publishes a file at its own speed; resolves when its playlist can be played. */
export async function startPush(
  stack: Pick<Stack, 'ingestUrl'>,
  file: string,
  { effect = 'box', loop = false, record = false, isPrivate = false } = {},
): Promise<Push> {
  const chosen = { '--loop': loop, '--record': record, '--private': isPrivate };
  const switches = Object.entries(chosen).flatMap(([name, isOn]) => (isOn ? [name] : []));
  const options = ['--url', stack.ingestUrl, '--effect', effect, ...switches];
  const push = spawn('node', ['scripts/push.mjs', file, ...options], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(push, 'close').then(([code]) => Number(code));
  const links: string[] = [];
  const sessionId = await new Promise<string>((resolve, reject) => {
    createInterface({ input: push.stdout }).on('line', (line) => {
      const link = /^(?:player )?link (.*)$/.exec(line)?.[1];
      if (link !== undefined) links.push(link);
      const ready = /^playlist_ready .*\/hls\/([\w-]+)\//.exec(line)?.[1];
      if (ready !== undefined) resolve(ready);
    });
    void ended.then((code) => reject(new Error(`npm run push ended with ${code}`)));
  });
  return {
    sessionId,
    links,
    ended,
    stop: () => {
      push.kill('SIGINT');
      return ended;
    },
  };
}
