import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';

/**
 * Time between two looks, in milliseconds. A look reads all of /proc, so more of them would take CPU from
 * the system under test.
 */
const LOOK_AGAIN_MS = 50;

/** A process of the system under test. */
export interface Process {
  pid: number;
  parent: number;
  /** Program and arguments. */
  command: string;
}

/** All processes under a process, at any depth. */
export async function processesUnder(pid: number): Promise<Process[]> {
  const all = await allProcesses();
  const under = (parent: number): Process[] =>
    all
      .filter((process) => process.parent === parent)
      .flatMap((child) => [child, ...under(child.pid)]);
  return under(pid);
}

/** The processes of a service (or `redis-server`) of a stack. */
export async function processesOf(stack: { pid: number }, service: string): Promise<Process[]> {
  const all = await processesUnder(stack.pid);
  return all.filter(({ command }) => command.includes(service));
}

/** The ffmpegs that a service of a stack has running. */
export async function ffmpegsOf(stack: { pid: number }, service: string): Promise<Process[]> {
  const owners = (await processesOf(stack, service)).map(({ pid }) => pid);
  const all = await processesUnder(stack.pid);
  return all.filter(
    ({ parent, command }) => owners.includes(parent) && command.startsWith('ffmpeg'),
  );
}

/**
 * Resolves to the result of `find` as soon as that is at least `count` processes: some may still be
 * starting.
 */
export async function present(find: () => Promise<Process[]>, count = 1): Promise<Process[]> {
  for (;;) {
    const found = await find();
    if (found.length >= count) return found;
    await after(LOOK_AGAIN_MS);
  }
}

/** Sends a signal to each process; ignores those that are gone. */
export function signal(processes: Process[], name: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, name);
    } catch {
      // The process has ended in the meantime.
    }
  }
}

/** Resolves when the stack has `count` processes of a service that are none of `old`. */
export async function replaced(
  stack: { pid: number },
  service: string,
  old: Process[],
): Promise<Process[]> {
  const gone = new Set(old.map(({ pid }) => pid));
  for (;;) {
    const now = await processesOf(stack, service);
    if (now.length >= old.length && now.every(({ pid }) => !gone.has(pid))) return now;
    await after(LOOK_AGAIN_MS);
  }
}

/** A process's environment at its start. */
export async function environmentOf({ pid }: Process): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8');
  const pairs = text.split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

async function allProcesses(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(readProcess));
  return found.filter((process) => process !== undefined);
}

async function readProcess(pid: number): Promise<Process | undefined> {
  try {
    const [command, stat] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      procStat(pid),
    ]);
    const [state, parent] = stat;
    if (state === 'Z' || command === '') return undefined;
    return { pid, parent: Number(parent), command: command.replaceAll('\0', ' ') };
  } catch {
    return undefined;
  }
}

/** User and system time of a process so far, in seconds (proc(5): fields 14 and 15, in hundredths). */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await procStat(pid);
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

/** The fields of /proc/<pid>/stat after the program's name, which may contain spaces. */
async function procStat(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
