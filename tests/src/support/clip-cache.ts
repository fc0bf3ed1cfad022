import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { inject } from 'vitest';

/** Time between two looks whether another worker has made a file, in milliseconds. */
const LOOK_AGAIN_MS = 50;

/**
 * Makes a file at `path`. In a test run, a file of the same name that was made before is copied instead,
 * and one that another worker is making is waited for.
 * @param name unique for the way in which the file is made, and what it is made from
 * @param make writes the file to the path that it is given
 */
export async function cached(
  name: string,
  path: string,
  make: (path: string) => Promise<void>,
): Promise<void> {
  // Benchmarks run without Vitest, and make each clip once anyway.
  if (process.env['VITEST'] === undefined) return make(path);
  const kept = join(inject('clipCache'), name);
  const workplace = `${kept}.making`;
  while (!existsSync(kept)) {
    if (await isOurs(workplace)) await makeIn(workplace, kept, make);
    else await after(LOOK_AGAIN_MS);
  }
  await copyFile(kept, path);
}

/** Whether this worker is the first one to make the file. */
async function isOurs(workplace: string): Promise<boolean> {
  return mkdir(workplace).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      return false;
    },
  );
}

/** Makes the file under another name first, so that a file under its own name is complete. */
async function makeIn(
  workplace: string,
  kept: string,
  make: (path: string) => Promise<void>,
): Promise<void> {
  const unfinished = join(workplace, 'unfinished');
  try {
    await make(unfinished);
    await rename(unfinished, kept);
  } finally {
    await rm(workplace, { recursive: true });
  }
}
