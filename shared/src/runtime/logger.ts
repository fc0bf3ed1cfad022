import { pino, type Logger } from 'pino';

export type { Logger };

/** A logger of JSON lines on stdout with the service's name; `level` is the lowest that is written. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['token', 'resumeToken', '*.token', '*.resumeToken', 'req.headers.authorization'],
  });
}
