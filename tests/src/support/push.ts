import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Stack } from './stack.js';

const REPOSITORY = new URL('../../..', import.meta.url).pathname;

/** A running `npm run push`. */
export interface Push {
  sessionId: string;
  /** Resolves to the exit code when it ends by itself. */
  ended: Promise<number>;
  /** Ctrl-C: the session ends in order. */
  stop(): Promise<number>;
}

/** Publishes a file at its own speed; resolves when its playlist can be played. */
export async function startPush(
  stack: Pick<Stack, 'ingestUrl'>,
  file: string,
  { effect = 'box', loop = false, record = false } = {},
): Promise<Push> {
  const switches = [...(loop ? ['--loop'] : []), ...(record ? ['--record'] : [])];
  const options = ['--url', stack.ingestUrl, '--effect', effect, ...switches];
  const push = spawn('node', ['scripts/push.mjs', file, ...options], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(push, 'close').then(([code]) => Number(code));
  const sessionId = await new Promise<string>((resolve, reject) => {
    createInterface({ input: push.stdout }).on('line', (line) => {
      const ready = /^playlist_ready .*\/hls\/([\w-]+)\//.exec(line)?.[1];
      if (ready !== undefined) resolve(ready);
    });
    void ended.then((code) => reject(new Error(`npm run push ended with ${code}`)));
  });
  return {
    sessionId,
    ended,
    stop: () => {
      push.kill('SIGINT');
      return ended;
    },
  };
}
