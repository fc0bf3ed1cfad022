import { pino, type Logger } from 'pino';

export type { Logger };

/** A logger that writes JSON lines with the service's name to stdout, from `level` upwards. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['token', 'resumeToken', '*.token', '*.resumeToken', 'req.headers.authorization'],
  });
}
