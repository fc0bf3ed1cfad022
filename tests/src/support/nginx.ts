import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

/** Whether this machine has nginx. */
export const hasNginx = spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status === 0;

const LOOK_AGAIN_MS = 20;

/** Starts an nginx with these contents of its `http` block; resolves when it answers at `port`. */
export async function startNginx(http: string, port: number): Promise<{ stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'facecast-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join('\n');
  const config = `
    daemon off;
    user root;
    pid ${directory}/pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${temporary}
      ${http}
    }`;
  const file = join(directory, 'nginx.conf');
  await writeFile(file, config);
  const nginx = spawn('nginx', ['-e', 'stderr', '-c', file], { stdio: 'inherit' });
  const exited = once(nginx, 'exit');
  while (nginx.exitCode === null && !(await answers(port))) await after(LOOK_AGAIN_MS);
  if (nginx.exitCode !== null) throw new Error(`nginx ended with ${nginx.exitCode}`);
  return {
    async stop() {
      nginx.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
