import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { SessionRegistry } from '@facecast/shared/redis/sessions';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import { orMissing } from '../atomic-files.js';

/** A volume may have other things in it, `lost+found` for one. */
const SESSION_ID = /^[\w-]+$/;

/** What is too old is gone this much later at most. */
const SWEEP_MS = 15_000;

/**
 * Removes the folders of sessions that ended, or that nobody knows any more, after the retention, and
 * whatever else was left of sessions.
 */
export class Janitor {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;
  private freeingSpace: Promise<void> | undefined;

  constructor(
    private readonly directory: string,
    private readonly retentionMs: number,
    private readonly registry: SessionRegistry,
    private readonly log: Logger,
    private readonly others: readonly { sweep: () => Promise<void> }[] = [],
  ) {}

  /** Sweeps now, and from now on. */
  start(): void {
    const sweep = () => {
      this.sweeping ??= this.sweep()
        .catch((error: unknown) => warnUnlessOutage(this.log, error, 'the janitor could not sweep'))
        .finally(() => (this.sweeping = undefined));
    };
    sweep();
    this.timer = setInterval(sweep, SWEEP_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  /** Removes what is too old at `now`, milliseconds since the epoch. */
  async sweep(now = Date.now()): Promise<void> {
    for (const { name, since } of await this.endedSessions()) {
      if (now - since < this.retentionMs) continue;
      await this.remove(name);
      this.log.info({ sessionId: name }, 'removed an ended session');
    }
    for (const other of this.others) await other.sweep();
  }

  /** Removes the session that ended first, before its time; nothing where none has ended. */
  async freeSpace(): Promise<void> {
    await (this.freeingSpace ??= this.removeOldest().finally(
      () => (this.freeingSpace = undefined),
    ));
  }

  private async removeOldest(): Promise<void> {
    const [oldest] = (await this.endedSessions()).sort((a, b) => a.since - b.since);
    if (!oldest) return;
    await this.remove(oldest.name);
    this.log.warn({ sessionId: oldest.name }, 'removed an ended session early to free space');
  }

  /** What is in the folder of no running session, and since when nothing has changed there. */
  private async endedSessions(): Promise<{ name: string; since: number }[]> {
    const entries = (await orMissing(() => readdir(this.directory, { withFileTypes: true }))) ?? [];
    const folders = entries.filter((entry) => entry.isDirectory() && SESSION_ID.test(entry.name));
    // Asked after the folders: each session is registered before its folder is made.
    const running = new Set(await this.registry.ids());
    const ended = folders.map(({ name }) => name).filter((name) => !running.has(name));
    const found = await Promise.all(
      ended.map(async (name) => {
        const folder = join(this.directory, name);
        const since =
          (await modifiedAt(join(folder, HLS_FILES.summary))) ?? (await modifiedAt(folder));
        return since === undefined ? [] : [{ name, since }];
      }),
    );
    return found.flat();
  }

  private async remove(name: string): Promise<void> {
    await rm(join(this.directory, name), { recursive: true, force: true });
  }
}

async function modifiedAt(path: string): Promise<number | undefined> {
  return orMissing(async () => (await stat(path)).mtimeMs);
}
