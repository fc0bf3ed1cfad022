import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `decoded`: as the extractor wrote it. `marked`: with the session's effect applied. */
export type BatchKind = 'decoded' | 'marked';

/** Names one batch of one session. */
export interface BatchRef {
  sessionId: string;
  batch: number;
  kind: BatchKind;
}

/**
 * Where raw batches wait between two stages. A batch is the plain I420 planes of its frames one
 * after another (Y, then U, then V of each; `frameBytes` for each frame), and it is either there as a
 * whole or not at all.
 */
export interface FrameStore {
  /** Makes room for a session; no error where there is room already. */
  openSession(sessionId: string): Promise<void>;
  /**
   * Writes a batch, over an older one of the same name.
   * Resolves to false, and writes nothing, where the session has no room (any more).
   */
  write(ref: BatchRef, frames: Uint8Array): Promise<boolean>;
  /** The batch's bytes, or undefined where there is none. */
  read(ref: BatchRef): Promise<Buffer | undefined>;
  /** Removes a batch; no error where there is none. */
  remove(ref: BatchRef): Promise<void>;
  /** Removes all that a session has. */
  removeSession(sessionId: string): Promise<void>;
  /** Ids of the sessions that have anything in the store. */
  sessions(): Promise<string[]>;
}

/** Size of one I420 frame in bytes; width and height are even. */
export function frameBytes(width: number, height: number): number {
  return (width * height * 3) / 2;
}

/** A frame store in a directory that the stages share, best one in memory (tmpfs). */
export class DirectoryFrameStore implements FrameStore {
  constructor(private readonly root: string) {}

  async openSession(sessionId: string): Promise<void> {
    await mkdir(join(this.root, sessionId), { recursive: true });
  }

  async write(ref: BatchRef, frames: Uint8Array): Promise<boolean> {
    const path = this.path(ref);
    const unfinished = `${path}.${process.pid}.tmp`;
    try {
      await writeFile(unfinished, frames);
      await rename(unfinished, path);
      return true;
    } catch (error) {
      await rm(unfinished, { force: true });
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async read(ref: BatchRef): Promise<Buffer | undefined> {
    try {
      return await readFile(this.path(ref));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async remove(ref: BatchRef): Promise<void> {
    await rm(this.path(ref), { force: true });
  }

  async removeSession(sessionId: string): Promise<void> {
    await rm(join(this.root, sessionId), { recursive: true, force: true });
  }

  async sessions(): Promise<string[]> {
    try {
      return await readdir(this.root);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  private path({ sessionId, batch, kind }: BatchRef): string {
    return join(this.root, sessionId, `${batch}.${kind}.i420`);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
