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

/** Identifies one version of a file: inode and modification time. */
export type FileVersion = string;

/** In the names of this process's unfinished files; process ids may repeat in containers. */
const WRITER = randomUUID();

/** How names of unfinished files end; they begin with a dot. */
export const UNFINISHED = '.unfinished';

/** Writes a file atomically, under a temporary name that is then renamed over the old one. */
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
 * `writeWhole`, synchronously: for the small files of a live stream, which are in memory. There a write takes
 * microseconds, and a round trip to another thread ten times as many.
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

/** The current version of a file; undefined if there is none. */
export function fileVersion(path: string): FileVersion | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && versionOf(stats);
}

/** A file's content; undefined if there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return orMissing(() => readFile(path));
}

/** What `read` resolves to; undefined if the file or directory that it reads is not there. */
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
