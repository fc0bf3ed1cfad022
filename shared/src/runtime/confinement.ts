import { spawnSync } from 'node:child_process';
import { programEnvironment } from './config.js';

/** Resource limits of a program that reads what a stranger sent. */
const LIMITS = [
  // Enough for the stacks of a thread on each of many cores; the largest picture takes a tenth.
  `--data=${4 * 1024 ** 3}`,
  // It reads and writes pipes only: no bytes to a file, and no core dump.
  '--fsize=0',
  '--core=0',
  '--nofile=64',
];

/**
 * Arguments of `unshare`: only a loopback of its own as network, in a user namespace, which needs no
 * privileges.
 */
const NO_NETWORK = ['--user', '--map-current-user', '--net', '--'];

let wrappers: string[] | undefined;

/** A program with arguments and environment, as `spawn` takes them. */
export interface Confined {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/**
 * Wraps a command so that it runs with limited memory, writes no files, has no secrets in its environment
 * and, if the system allows that, no network. The wrappers exec the program, so its process id is the
 * child's.
 */
export function confined(command: string, args: readonly string[]): Confined {
  wrappers ??= findWrappers();
  const [program = command, ...rest] = [...wrappers, command, ...args];
  return { command: program, args: rest, env: programEnvironment() };
}

/** Whether programs run without a network; false where user namespaces are forbidden. */
export function confinesNetwork(): boolean {
  wrappers ??= findWrappers();
  return wrappers.includes('unshare');
}

/** The wrappers that this system allows; tried once. */
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
