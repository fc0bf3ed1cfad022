import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What a file of a batch holds:
 *
 * - `decoded`: frames as the frame-extractor wrote them.
 * - `marked`: rendered frames, with the session's effect applied.
 * - `sound`: the batch's audio samples (`media/audio.ts`).
 */
export type BatchKind = 'decoded' | 'marked' | 'sound';

/** Identifies one file of one batch of one session. */
export interface BatchRef {
  sessionId: string;
  batch: number;
  kind: BatchKind;
}

/**
 * Holds raw batches between two stages. Frames are I420 planes one after another (Y, U, V of each frame;
 * `frameBytes` a frame). A batch's file is there whole or not at all.
 */
export interface FrameStore {
  /** Makes a session's directory; no error if it exists. */
  openSession(sessionId: string): Promise<void>;
  /**
   * Writes a batch; replaces an older one of the same name. If the session has no directory (any more), it
   * writes nothing and resolves to false.
   * @throws an error with the code ENOSPC if the volume is full
   */
  write(ref: BatchRef, frames: Uint8Array): Promise<boolean>;
  /**
   * Resolves to the batch's bytes; undefined if there is no such batch. They are read into `buffer` if that
   * is large enough, so that a reader of many batches can reuse one.
   */
  read(ref: BatchRef, buffer?: Buffer): Promise<Buffer | undefined>;
  /**
   * Removes a batch; no error if there is none. Its file may be overwritten at once, so nobody may still be
   * reading it.
   */
  remove(ref: BatchRef): Promise<void>;
  /** Removes all batches of a session, and its directory. */
  removeSession(sessionId: string): Promise<void>;
  /** Ids of the sessions that have a directory. */
  sessions(): Promise<string[]>;
  /** Capacity of the store's volume, in bytes. */
  size(): number;
}

/**
 * Bytes of the volume that decoded batches leave free for Redis's log and the playlists, which cannot wait.
 * At most a quarter of the volume.
 */
const RESERVE = 16 * 1024 * 1024;

/** Size of one I420 frame in bytes; width and height are even. */
export function frameBytes(width: number, height: number): number {
  return (width * height * 3) / 2;
}

/**
 * A frame store in a directory in memory (tmpfs) that the stages share.
 *
 * It reads and writes synchronously: a copy of a 640x480 batch takes 0.3 ms, less than a round trip to a
 * thread. It keeps one removed file of each kind for each session and writes the next batch into it,
 * because allocating and freeing 1.4 MB costs as much as filling it.
 */
export class DirectoryFrameStore implements FrameStore {
  constructor(private readonly root: string) {}

  async openSession(sessionId: string): Promise<void> {
    const make = () => mkdir(join(this.root, sessionId), { recursive: true });
    // Node reports the directory missing if it is removed while mkdir runs.
    await make().catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      return make();
    });
  }

  async write(ref: BatchRef, frames: Uint8Array): Promise<boolean> {
    const path = this.path(ref);
    // A name of its own, because one process may write the same batch twice at once.
    const unfinished = `${path}.${randomUUID()}.tmp`;
    try {
      if (ref.kind !== 'marked') this.requireFreeSpace(frames.length);
      renameIfThere(this.spare(ref), unfinished);
      overwrite(unfinished, frames);
      renameSync(unfinished, path);
      return true;
    } catch (error) {
      rmSync(unfinished, { force: true });
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async read(ref: BatchRef, buffer?: Buffer): Promise<Buffer | undefined> {
    try {
      return readWhole(this.path(ref), buffer);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async remove(ref: BatchRef): Promise<void> {
    renameIfThere(this.path(ref), this.spare(ref));
  }

  async removeSession(sessionId: string): Promise<void> {
    // Retried, because another process may write while it is emptied.
    await rm(join(this.root, sessionId), { recursive: true, force: true, maxRetries: 3 });
  }

  async sessions(): Promise<string[]> {
    try {
      return await readdir(this.root);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  size(): number {
    const { blocks, bsize } = statfsSync(this.root);
    return blocks * bsize;
  }

  /**
   * Throws ENOSPC if too little of the volume would stay free. Not asked for rendered batches: they free
   * space when done.
   */
  private requireFreeSpace(bytes: number): void {
    const { blocks, bavail, bsize } = statfsSync(this.root);
    const reserve = Math.min(RESERVE, (blocks * bsize) / 4);
    if (bavail * bsize - bytes >= reserve) return;
    throw Object.assign(new Error(`${this.root} has no free space for ${bytes} bytes`), {
      code: 'ENOSPC',
    });
  }

  private path({ sessionId, batch, kind }: BatchRef): string {
    return join(this.root, sessionId, `${batch}.${kind}`);
  }

  private spare({ sessionId, kind }: BatchRef): string {
    return join(this.root, sessionId, `spare.${kind}`);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Overwrites a file in place: truncating it first would free its memory, to be allocated again. */
function overwrite(path: string, bytes: Uint8Array): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    writeFileSync(file, bytes);
    ftruncateSync(file, bytes.length);
  } finally {
    closeSync(file);
  }
}

function readWhole(path: string, buffer: Buffer | undefined): Buffer {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes =
      buffer && buffer.length >= size ? buffer.subarray(0, size) : Buffer.allocUnsafe(size);
    for (let at = 0; at < size;) {
      const read = readSync(file, bytes, at, size - at, at);
      if (read === 0) throw new Error(`${path} became shorter while it was read`);
      at += read;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
