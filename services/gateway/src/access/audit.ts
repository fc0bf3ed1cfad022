import { createHmac, randomBytes } from 'node:crypto';
import type { Logger } from '@facecast/shared/runtime/logger';
import { LRUCache } from 'lru-cache';

/** What is written down of a session, whatever the level of the log. */
export type AuditedAction =
  | 'publish'
  | 'view'
  | 'download'
  | 'delete session'
  | 'delete recording'
  | 'make link'
  | 'revoke links';

/** A viewer who asks for nothing in this time, in milliseconds, and then again, views anew. */
const VIEW_MS = 30_000;
/** Views that are known at once; of more, some are written down again. */
const MAX_VIEWS = 20_000;
const VIEWER_NAME_CHARACTERS = 8;

/** Writes down who published, viewed, downloaded and deleted what: one line of the log each. */
export class Audit {
  private readonly log: Logger;
  /** What viewers are called outlives no restart, so that it cannot be traced back to an address. */
  private readonly salt = randomBytes(16);
  private readonly views: LRUCache<string, true>;

  constructor(log: Logger, maxViews = MAX_VIEWS) {
    this.log = log.child({ audit: true }, { level: log.level === 'silent' ? 'silent' : 'info' });
    this.views = new LRUCache({ max: maxViews, ttl: VIEW_MS, updateAgeOnGet: true });
  }

  /** Views that are known at the moment. */
  get size(): number {
    return this.views.size;
  }

  /** @param subject who did it, as far as is known */
  note(action: AuditedAction, subject: string, sessionId: string, details: object = {}): void {
    this.log.info({ action, subject, sessionId, ...details }, 'audit');
  }

  /** Takes notice of a viewer: a line where the view begins. */
  viewed(viewer: string, sessionId: string, subject = this.nameOf(viewer)): void {
    const view = `${sessionId} ${subject} ${viewer}`;
    if (this.views.get(view)) return;
    this.views.set(view, true);
    this.note('view', subject, sessionId);
  }

  /** What a viewer who has no other name is called. */
  nameOf(viewer: string): string {
    const hash = createHmac('sha256', this.salt).update(viewer).digest('hex');
    return `viewer ${hash.slice(0, VIEWER_NAME_CHARACTERS)}`;
  }
}
