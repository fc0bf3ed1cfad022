import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Tells one version of a file from another, by whomever it was written. */
export type FileVersion = string;

/** Tells this process's unfinished files from another's, which may have the same process id. */
const WRITER = randomUUID();

/** Unfinished files end so, and begin with a dot. */
export const UNFINISHED = '.unfinished';

/** Writes a file so that it is seen whole or not at all, over an older one of the same name. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const unfinished = unfinishedName(path);
  const file = await open(unfinished, 'w');
  try {
    await file.writeFile(content);
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(unfinished, { force: true });
    throw error;
  }
}

/**
 * The same, synchronously: for the many small files of a live stream, which are in memory. There each
 * step takes microseconds, and handing it to another thread and back ten times as many.
 */
export function writeWholeNow(path: string, content: Uint8Array | string): FileVersion {
  const unfinished = unfinishedName(path);
  const file = openSync(unfinished, 'w');
  try {
    writeFileSync(file, content);
    const version = versionOf(fstatSync(file, { bigint: true }));
    renameSync(unfinished, path);
    return version;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Which version of a file is there now; undefined where there is none. */
export function fileVersion(path: string): FileVersion | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && versionOf(stats);
}

/** The file's content; undefined where there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return orMissing(() => readFile(path));
}

/** What `read` gives; undefined where the file or directory that it reads is not there. */
export async function orMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function unfinishedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${WRITER}${UNFINISHED}`);
}

function versionOf({ ino, mtimeNs }: { ino: bigint; mtimeNs: bigint }): FileVersion {
  return `${ino}-${mtimeNs}`;
}
