import { pino } from 'pino';
import type { Logger } from '../runtime/logger.js';

/** A log of this level, and the lines that were written to it. */
export function recordedLog(level: string): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string) => lines.push(JSON.parse(text) as Record<string, unknown>);
  return { log: pino({ level }, { write }), lines };
}
