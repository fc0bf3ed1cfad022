import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { SignedLink } from '../uplink/own-session.js';
import type { StartedSession } from '../uplink/started-session.js';

const KEY = 'facecast.session';
/** How long a page waits for the one before it to close, in milliseconds. */
const HANDOVER_MS = 2_000;

/** What a page needs to resume a session after a reload or a crash. */
export interface KeptSession {
  session: StartedSession;
  source: { kind: 'camera'; deviceId: string } | { kind: 'screen' | 'file' };
  withSound: boolean;
  wish: { effect: Effect; hidden: boolean };
  /** The link that viewers have, if the session is private. */
  link: SignedLink | undefined;
}

/** The session that this tab has on air, kept only in this tab and as long as it can be resumed. */
export class InterruptedSession {
  private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  private readonly now: () => number;

  constructor(
    storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> = sessionStorage,
    now: () => number = Date.now,
  ) {
    this.storage = storage;
    this.now = now;
  }

  /** Keeps the session that is on air at this moment. */
  keep(kept: KeptSession): void {
    this.storage.setItem(KEY, JSON.stringify({ ...kept, at: this.now() }));
  }

  /** Forgets the session: it is not on air any more. */
  forget(): void {
    this.storage.removeItem(KEY);
  }

  /** The session that can still be resumed, and for how many milliseconds more. */
  find(): { kept: KeptSession; leftMs: number } | undefined {
    const text = this.storage.getItem(KEY);
    if (text === null) return undefined;
    const { at, ...kept } = JSON.parse(text) as KeptSession & { at: number };
    const leftMs = at + kept.session.resumeSeconds * 1000 - this.now();
    return leftMs > 0 ? { kept, leftMs } : undefined;
  }
}

/**
 * Locks a session for this page as long as the page is open. Resolves to false if another page has the
 * lock: a duplicated tab has a copy of the kept session.
 */
export async function lockSession({ sessionId }: StartedSession): Promise<boolean> {
  // A page without locks (plain http) has no camera either.
  const { locks } = navigator as { locks?: LockManager };
  if (!locks) return true;
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(HANDOVER_MS);
    locks
      .request(`facecast-${sessionId}`, { signal }, () => {
        resolve(true);
        return new Promise(() => undefined);
      })
      .catch(() => resolve(false));
  });
}
