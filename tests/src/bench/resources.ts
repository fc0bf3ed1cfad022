import { readdir, readFile } from 'node:fs/promises';

interface Running {
  pid: number;
}

/** Memory that a process has, in MB; 0 where it is gone. */
export async function residentMb({ pid }: Running): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** How many files a process has open; 0 where it is gone. */
export async function openFiles({ pid }: Running): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
}
