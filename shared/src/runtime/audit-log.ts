import type { Logger } from './logger.js';

/** A log of what was done to whose data: every line is written, whatever the level of the log is. */
export function auditLog(log: Logger): Logger {
  return log.child({ audit: true }, { level: log.level === 'silent' ? 'silent' : 'info' });
}
