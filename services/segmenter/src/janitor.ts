import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@facecast/shared/logger';
import type { SessionRegistry } from '@facecast/shared/sessions';
import { SUMMARY_NAME } from './ending.js';
import { orMissing } from './files.js';

/** What is too old is gone this much later at most. */
const SWEEP_MS = 15_000;

/**
 * Removes the folders of sessions that ended, or that nobody knows any more, after the retention, and
 * whatever else was left of sessions.
 */
export class Janitor {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;

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
        .catch((error: unknown) => this.log.error({ err: error }, 'the janitor could not sweep'))
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
    const names = (await orMissing(() => readdir(this.directory))) ?? [];
    // Asked after the folders: each session is registered before its folder is made.
    const running = new Set(await this.registry.ids());
    for (const name of names.filter((candidate) => !running.has(candidate))) {
      const folder = join(this.directory, name);
      const since = (await modifiedAt(join(folder, SUMMARY_NAME))) ?? (await modifiedAt(folder));
      if (since === undefined || now - since < this.retentionMs) continue;
      await rm(folder, { recursive: true, force: true });
      this.log.info({ sessionId: name }, 'removed an ended session');
    }
    for (const other of this.others) await other.sweep();
  }
}

async function modifiedAt(path: string): Promise<number | undefined> {
  return orMissing(async () => (await stat(path)).mtimeMs);
}
