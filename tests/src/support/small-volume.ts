import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BALLAST = 'ballast';
const BLOCK = Buffer.alloc(4096);

/** How often a volume that stays full is filled again, in milliseconds. */
const FILL_EVERY_MS = 20;

/** A volume of a few megabytes, in memory, which a test may fill. */
export class SmallVolume {
  private filling: NodeJS.Timeout | undefined;

  private constructor(readonly path: string) {}

  /** Mounts a volume; undefined if this user may not. */
  static mount(megabytes: number): SmallVolume | undefined {
    const path = mkdtempSync(join(tmpdir(), 'facecast-volume-'));
    try {
      const size = `size=${megabytes}m`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', path], { stdio: 'ignore' });
      return new SmallVolume(path);
    } catch {
      rmSync(path, { recursive: true });
      return undefined;
    }
  }

  /** Takes all free space. */
  fill(): void {
    const file = openSync(join(this.path, BALLAST), 'a');
    try {
      for (;;) writeSync(file, BLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Takes all free space, and all that becomes free, until `free`. */
  keepFull(): void {
    this.fill();
    this.filling = setInterval(() => this.fill(), FILL_EVERY_MS);
  }

  /** Frees the taken space. */
  free(): void {
    clearInterval(this.filling);
    rmSync(join(this.path, BALLAST), { force: true });
  }

  unmount(): void {
    this.free();
    execFileSync('umount', [this.path]);
    rmSync(this.path, { recursive: true });
  }
}
