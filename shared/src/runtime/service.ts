import { ConfigError, EXIT_BAD_CONFIG } from './config.js';
import type { Logger } from './logger.js';

/** A started service. `close` ends its work in order; it is called once. */
export interface RunningService {
  log: Logger;
  close: () => Promise<void>;
}

/** Umask of every service: only its own user may read what it writes. */
const PRIVATE_UMASK = 0o077;

/** A stop that takes longer than this, in milliseconds, is cut off, so that a rolling update cannot hang. */
const MAX_STOP_MS = 9_000;

/**
 * Runs a service until it is told to stop: by SIGTERM, SIGINT, or the end of the supervisor that
 * started it with an IPC channel. An error that nobody caught ends the process with code 1, so that
 * a supervisor starts a clean one.
 */
export async function runService(start: () => Promise<RunningService>): Promise<void> {
  process.umask(PRIVATE_UMASK);
  let service: RunningService;
  try {
    service = await start();
  } catch (error) {
    if (error instanceof ConfigError) refuseSettings(error);
    process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
    process.exit(1);
  }
  const { log } = service;
  let stopping = false;
  const stop = (why: string, code: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    setTimeout(() => process.exit(code || 1), MAX_STOP_MS).unref();
    service.close().then(
      () => process.exit(code),
      (error: unknown) => {
        log.error({ err: error }, 'could not stop in order');
        process.exit(code || 1);
      },
    );
  };
  const die = (error: unknown) => {
    log.fatal({ err: error }, 'unexpected error');
    stop('unexpected error', 1);
  };
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('SIGINT', () => stop('SIGINT', 0));
  process.on('disconnect', () => stop('the supervisor is gone', 0));
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/**
 * Ends the process with a line for each unusable setting, and a code that says that a restart would not
 * help.
 */
export function refuseSettings({ message }: ConfigError): never {
  process.stderr.write(`${message}\n`);
  process.exit(EXIT_BAD_CONFIG);
}
