import { spawnSync } from 'node:child_process';
import { programEnvironment } from './config.js';

/** What a program may take that reads what a stranger sent. */
const LIMITS = [
  // Stacks of a thread for each of many cores included; a picture of the largest size takes a tenth.
  `--data=${4 * 1024 ** 3}`,
  // It reads and writes pipes: not a byte to a file, and no core.
  '--fsize=0',
  '--core=0',
  '--nofile=64',
];

/** No interface but a loopback of its own, in a user namespace, which takes no rights to make. */
const NO_NETWORK = ['--user', '--map-current-user', '--net', '--'];

let wrappers: string[] | undefined;

/** A program with its arguments and its environment, as `spawn` takes them. */
export interface Confined {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/**
 * How a program is started that is not to do more than it must: with limits of memory and files, without
 * a network where the system allows that, and without our secrets in its environment. Each wrapper
 * becomes the program itself, which so keeps its process id.
 */
export function confined(command: string, args: readonly string[]): Confined {
  wrappers ??= findWrappers();
  const [program = command, ...rest] = [...wrappers, command, ...args];
  return { command: program, args: rest, env: programEnvironment() };
}

/** Whether programs are started without a network: not where user namespaces are forbidden. */
export function confinesNetwork(): boolean {
  wrappers ??= findWrappers();
  return wrappers.includes('unshare');
}

/** What this system can do, which is tried once. */
function findWrappers(): string[] {
  const possible = [
    ['prlimit', ...LIMITS, '--'],
    ['unshare', ...NO_NETWORK],
  ];
  return possible.filter(works).flat();
}

function works([wrapper = '', ...args]: string[]): boolean {
  return spawnSync(wrapper, [...args, 'true'], { stdio: 'ignore' }).status === 0;
}
