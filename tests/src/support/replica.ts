import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { environmentOf, present, processesOf } from './processes.js';

/** Another replica of a service, beside that of a stack. */
export interface Replica {
  pid: number;
  stop: () => Promise<void>;
}

/** Starts another replica with the settings of the stack's own; resolves when it is ready. */
export async function startReplica(stack: { pid: number }, service: string): Promise<Replica> {
  const [own] = await present(() => processesOf(stack, service));
  const [program, ...args] = own!.command.trim().split(' ');
  const env = { ...(await environmentOf(own!)), OPS_PORT: '0', LOG_LEVEL: 'info' };
  const child = spawn(program!, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await ready(child);
  return {
    pid: child.pid!,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function ready(child: ChildProcess): Promise<void> {
  const lines = createInterface({ input: child.stdout! });
  for await (const line of lines) if (line.includes('"ready"')) break;
  child.stdout!.resume();
}
