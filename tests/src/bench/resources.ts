import { readdir, readFile } from 'node:fs/promises';

interface Running {
  pid: number;
}

/** Memory in MB, and open files, of some processes together; nothing of those that are gone. */
export async function footprintOf(
  processes: readonly Running[],
): Promise<{ megabytes: number; openFiles: number }> {
  const [megabytes, files] = await Promise.all(
    [residentMb, openFiles].map(async (measure) =>
      (await Promise.all(processes.map(measure))).reduce((sum, one) => sum + one, 0),
    ),
  );
  return { megabytes: megabytes!, openFiles: files! };
}

async function residentMb({ pid }: Running): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function openFiles({ pid }: Running): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
}
