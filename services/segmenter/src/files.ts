import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Tells one version of a file from another, by whomever it was written. */
export type FileVersion = string;

/** Tells this process's unfinished files from another's, which may have the same process id. */
const WRITER = randomUUID();

/** Unfinished files end so, and begin with a dot. */
export const UNFINISHED = '.unfinished';

/** Writes a file so that it is seen whole or not at all, over an older one of the same name. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<FileVersion> {
  const unfinished = join(dirname(path), `.${basename(path)}.${WRITER}${UNFINISHED}`);
  const file = await open(unfinished, 'w');
  try {
    await file.writeFile(content);
    const version = versionOf(await file.stat({ bigint: true }));
    await file.close();
    await rename(unfinished, path);
    return version;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** Which version of a file is there now; undefined where there is none. */
export async function fileVersion(path: string): Promise<FileVersion | undefined> {
  return orMissing(async () => versionOf(await stat(path, { bigint: true })));
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

function versionOf({ ino, mtimeNs }: { ino: bigint; mtimeNs: bigint }): FileVersion {
  return `${ino}-${mtimeNs}`;
}
