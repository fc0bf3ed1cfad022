import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Index of the start time in /proc/<pid>/stat, counted after the process's name (proc(5): field 22 of all).
 */
const START_TIME_FIELD = 19;
/** Matches the command line of `npm start`. */
const PROGRAM = /\bstart\.mjs\b/;

/**
 * The record of this process as an owner: its process id and start time. The id alone is not enough,
 * because another program may have it later, or after a reboot.
 *
 * @returns {string}
 */
export function ownerRecord() {
  return `${process.pid} ${startOf(process.pid) ?? ''}`.trim();
}

/**
 * The id of the process that a record is of, if that process still runs.
 *
 * @param {string} record as `ownerRecord` makes it; if it has only the id, as earlier versions wrote it,
 *   the process is known by its command
 * @returns {number | undefined}
 */
export function runningOwner(record) {
  const [, number = '', since] = /^(\d{1,10})(?: (.+))?$/.exec(record.trim()) ?? [];
  const pid = Number(number);
  if (pid === 0) return undefined;
  if (since !== undefined) return startOf(pid) === since ? pid : undefined;
  return pid !== process.pid && PROGRAM.test(commandOf(pid)) ? pid : undefined;
}

/**
 * When a process started, in the system's own form; undefined if there is no such process.
 *
 * @param {number} pid
 * @returns {string | undefined}
 */
function startOf(pid) {
  if (process.platform !== 'linux') return ps(pid, 'lstart') || undefined;
  const stat = read(`/proc/${pid}/stat`);
  // The process's name, in brackets, may contain any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended.
  if (stat === '' || fields[0] === 'Z') return undefined;
  return `${fields[START_TIME_FIELD]} ${read('/proc/sys/kernel/random/boot_id').trim()}`;
}

/** @param {number} pid */
function commandOf(pid) {
  return process.platform === 'linux' ? read(`/proc/${pid}/cmdline`) : ps(pid, 'command');
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {number} pid
 * @param {string} column
 */
function ps(pid, column) {
  const { stdout } = spawnSync('ps', ['-o', `${column}=`, '-p', `${pid}`], { encoding: 'utf8' });
  return (stdout ?? '').trim();
}
