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
   * Writes a batch, over an older one of the same name. Resolves to false, and writes nothing, if the session
   * has no directory (any more).
   * @throws an error with the code ENOSPC if the volume is full
   */
  write(ref: BatchRef, frames: Uint8Array): Promise<boolean>;
  /**
   * The batch's bytes; undefined if there is none. They are read into `room` if that is large enough, so that
   * a reader of many batches reuses one buffer.
   */
  read(ref: BatchRef, room?: Buffer): Promise<Buffer | undefined>;
  /**
   * Removes a batch; no error if there is none. Its file may be overwritten at once, so nobody may be reading
   * it whose result is still needed.
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
 * How much of the volume decoded batches leave free, in bytes, for Redis's log and playlists, which
 * cannot wait. At most a quarter of the volume.
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
 * thread. It keeps one removed file of each kind a session, and writes the next batch into it: to allocate
 * 1.4 MB and free it costs as much as to fill it.
 */
export class DirectoryFrameStore implements FrameStore {
  constructor(private readonly root: string) {}

  async openSession(sessionId: string): Promise<void> {
    const make = () => mkdir(join(this.root, sessionId), { recursive: true });
    // If it is removed between mkdir's own check and ours, Node reports it missing.
    await make().catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      return make();
    });
  }

  async write(ref: BatchRef, frames: Uint8Array): Promise<boolean> {
    const path = this.path(ref);
    // One process may write the same batch twice at once.
    const unfinished = `${path}.${randomUUID()}.tmp`;
    try {
      if (ref.kind !== 'marked') this.requireRoom(frames.length);
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

  async read(ref: BatchRef, room?: Buffer): Promise<Buffer | undefined> {
    try {
      return readWhole(this.path(ref), room);
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
   * Throws ENOSPC if too little would stay free. Rendered batches are exempt: they free space when done.
   */
  private requireRoom(bytes: number): void {
    const { blocks, bavail, bsize } = statfsSync(this.root);
    const reserve = Math.min(RESERVE, (blocks * bsize) / 4);
    if (bavail * bsize - bytes >= reserve) return;
    throw Object.assign(new Error(`${this.root} has no room for ${bytes} bytes`), {
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

/** Overwrites a file in place, so that it keeps its memory, which truncating first would free. */
function overwrite(path: string, bytes: Uint8Array): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    writeFileSync(file, bytes);
    ftruncateSync(file, bytes.length);
  } finally {
    closeSync(file);
  }
}

function readWhole(path: string, room: Buffer | undefined): Buffer {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = room && room.length >= size ? room.subarray(0, size) : Buffer.allocUnsafe(size);
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
