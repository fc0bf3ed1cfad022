import { spawnSync } from 'node:child_process';
import { programEnvironment } from './config.js';

/** Resource limits of a program that reads what a stranger sent. */
const LIMITS = [
  // Stacks of a thread for each of many cores included; a picture of the largest size takes a tenth.
  `--data=${4 * 1024 ** 3}`,
  // It reads and writes pipes: no byte to a file, and no core.
  '--fsize=0',
  '--core=0',
  '--nofile=64',
];

/** Arguments of `unshare`: no network but an own loopback, in a user namespace, which needs no rights. */
const NO_NETWORK = ['--user', '--map-current-user', '--net', '--'];

let wrappers: string[] | undefined;

/** A program with arguments and environment, as `spawn` takes them. */
export interface Confined {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/**
 * Wraps a command so that it runs with limits of memory and files, without a network if the system allows
 * that, and without our secrets in its environment. The wrappers replace themselves by the program, so that
 * its process id is the child's.
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
