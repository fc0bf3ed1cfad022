import { createHmac, randomBytes } from 'node:crypto';
import { auditLog } from '@facecast/shared/runtime/audit-log';
import type { Logger } from '@facecast/shared/runtime/logger';
import { LRUCache } from 'lru-cache';

/** What the audit log records about a session, at every log level. */
export type AuditedAction =
  | 'publish'
  | 'view'
  | 'view recording'
  | 'read faces'
  | 'download'
  | 'delete session'
  | 'delete recording'
  | 'edit recording'
  | 'make link'
  | 'revoke links';

/** Actions that take many requests: watching live, watching the recording, reading the face timeline. */
type ViewAction = Extract<AuditedAction, 'view' | 'view recording' | 'read faces'>;

/** A viewer without a request for this long, in milliseconds, begins a new view with the next one. */
const VIEW_MS = 30_000;
/** Maximum number of views remembered; beyond it the oldest may be recorded twice. */
const MAX_VIEWS = 20_000;
const VIEWER_NAME_CHARACTERS = 8;

/** Records who published, viewed, downloaded and deleted what, one log line each. */
export class Audit {
  private readonly log: Logger;
  /** New at each start, so that a viewer's name in the log cannot be traced back to an address. */
  private readonly salt = randomBytes(16);
  private readonly views: LRUCache<string, true>;

  constructor(log: Logger, maxViews = MAX_VIEWS) {
    this.log = auditLog(log);
    this.views = new LRUCache({ max: maxViews, ttl: VIEW_MS, updateAgeOnGet: true });
  }

  /** Number of views remembered. */
  get size(): number {
    return this.views.size;
  }

  /** @param subject who did it, as far as is known */
  note(action: AuditedAction, subject: string, sessionId: string, details: object = {}): void {
    this.log.info({ action, subject, sessionId, ...details }, 'audit');
  }

  /** Records that a viewer begins to see `what` of a session; later requests of the same view add no line. */
  viewed(
    viewer: string,
    sessionId: string,
    subject = this.nameOf(viewer),
    what: ViewAction = 'view',
  ): void {
    const view = `${what} ${sessionId} ${subject} ${viewer}`;
    if (this.views.get(view)) return;
    this.views.set(view, true);
    this.note(what, subject, sessionId);
  }

  /** Name of a viewer without any other, in the log. */
  nameOf(viewer: string): string {
    const hash = createHmac('sha256', this.salt).update(viewer).digest('hex');
    return `viewer ${hash.slice(0, VIEWER_NAME_CHARACTERS)}`;
  }
}
