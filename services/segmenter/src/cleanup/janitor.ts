import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import { auditLog } from '@facecast/shared/runtime/audit-log';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { warnUnlessOutage } from '@facecast/shared/redis/redis';
import { orMissing } from '../atomic-files.js';

/** Names of sessions' folders; a volume may have others, such as `lost+found`. */
const SESSION_ID = /^[\w-]+$/;

/** Time between two sweeps, in milliseconds. */
const SWEEP_MS = 15_000;

/**
 * Removes the folders of sessions that are not running, `retentionMs` after their last change; then runs the
 * other sweepers.
 */
export class Janitor {
  private readonly audit: Logger;
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;
  private freeingSpace: Promise<void> | undefined;

  constructor(
    private readonly directory: string,
    private readonly retentionMs: number,
    private readonly registry: SessionRegistry,
    private readonly log: Logger,
    private readonly others: readonly { sweep: () => Promise<void> }[] = [],
    private readonly action: 'expire session' | 'expire recording' = 'expire session',
  ) {
    this.audit = auditLog(log);
  }

  /** Sweeps now, and then every `SWEEP_MS`. */
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

  /** Removes what is past its retention at `now`, in milliseconds since the epoch. */
  async sweep(now = Date.now()): Promise<void> {
    for (const { name, since } of await this.endedSessions()) {
      if (now - since < this.retentionMs) continue;
      await this.remove(name, 'retention');
    }
    for (const other of this.others) await other.sweep();
  }

  /** Frees space: removes the session that ended first, before its time. No effect if none has ended. */
  async freeSpace(): Promise<void> {
    await (this.freeingSpace ??= this.removeOldest().finally(
      () => (this.freeingSpace = undefined),
    ));
  }

  private async removeOldest(): Promise<void> {
    const [oldest] = (await this.endedSessions()).sort((a, b) => a.since - b.since);
    if (!oldest) return;
    await this.remove(oldest.name, 'lack of space');
    this.log.warn({ sessionId: oldest.name }, 'removed early to free space');
  }

  /** Folders of sessions that are not running, and when each last changed. */
  private async endedSessions(): Promise<{ name: string; since: number }[]> {
    const entries = (await orMissing(() => readdir(this.directory, { withFileTypes: true }))) ?? [];
    const folders = entries.filter((entry) => entry.isDirectory() && SESSION_ID.test(entry.name));
    // Asked after the folders were listed, because a session is registered before its folder is made.
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

  private async remove(name: string, subject: 'retention' | 'lack of space'): Promise<void> {
    await rm(join(this.directory, name), { recursive: true, force: true });
    this.audit.info({ action: this.action, subject, sessionId: name }, 'audit');
  }
}

async function modifiedAt(path: string): Promise<number | undefined> {
  return orMissing(async () => (await stat(path)).mtimeMs);
}
