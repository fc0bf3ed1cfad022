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
 * `decoded`: frames as the extractor wrote them. `marked`: with the session's effect applied. `sound`:
 * what is heard with them, as the extractor wrote it: 16-bit little-endian samples of 48 kHz, left and
 * right in turn.
 */
export type BatchKind = 'decoded' | 'marked' | 'sound';

/** Names one batch of one session. */
export interface BatchRef {
  sessionId: string;
  batch: number;
  kind: BatchKind;
}

/**
 * Where raw batches wait between two stages. The frames of a batch are plain I420 planes one after
 * another (Y, then U, then V of each; `frameBytes` for each frame). A batch's frames, and its audio, are
 * either there as a whole or not at all.
 */
export interface FrameStore {
  /** Makes room for a session; no error where there is room already. */
  openSession(sessionId: string): Promise<void>;
  /**
   * Writes a batch, over an older one of the same name.
   * Resolves to false, and writes nothing, where the session has no room (any more).
   * @throws an error with the code ENOSPC where the volume is full
   */
  write(ref: BatchRef, frames: Uint8Array): Promise<boolean>;
  /**
   * The batch's bytes, or undefined where there is none. They are put into `room` where that is large
   * enough: a reader of many batches gives its last one back, and leaves no garbage of megabytes.
   */
  read(ref: BatchRef, room?: Buffer): Promise<Buffer | undefined>;
  /**
   * Removes a batch; no error where there is none. Whoever is still reading it may read anything: to be
   * called when nobody needs what comes of it any more.
   */
  remove(ref: BatchRef): Promise<void>;
  /** Removes all that a session has. */
  removeSession(sessionId: string): Promise<void>;
  /** Ids of the sessions that have anything in the store. */
  sessions(): Promise<string[]>;
  /** How much the store's volume can hold in all, in bytes. */
  size(): number;
}

/**
 * What new batches leave free, in bytes: on a small machine the volume also has Redis's log and the
 * playlists, and neither can wait. At most a quarter of the volume.
 */
const RESERVE = 16 * 1024 * 1024;

/** Size of one I420 frame in bytes; width and height are even. */
export function frameBytes(width: number, height: number): number {
  return (width * height * 3) / 2;
}

/**
 * A frame store in a directory that the stages share, which should be one in memory (tmpfs).
 *
 * Batches are read, written and removed synchronously: in memory that is a copy of about 0.3 ms for
 * 640x480, and handing it to a thread of its own and back costs more than the work. Of what is removed,
 * a session keeps one file of each kind, whose memory the next batch takes: to get 1.4 MB from the
 * system and to give it back costs as much as to fill it.
 */
export class DirectoryFrameStore implements FrameStore {
  constructor(private readonly root: string) {}

  async openSession(sessionId: string): Promise<void> {
    const make = () => mkdir(join(this.root, sessionId), { recursive: true });
    // A directory that is there, and removed before Node has looked at it, is told as missing.
    await make().catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      return make();
    });
  }

  async write(ref: BatchRef, frames: Uint8Array): Promise<boolean> {
    const path = this.path(ref);
    // The same batch may be written twice at once, also by one process.
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
    // Again, where somebody still writes while it is emptied.
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

  /** A batch that is on its way already is let through: it makes room when it is done. */
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

/** Unlike one that is truncated first, the file keeps the memory that it has. */
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
