import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { OPS_HOST } from './settings.js';

/** Exit code for a refused configuration (EX_CONFIG of sysexits.h): a supervisor must not retry. */
export const EXIT_BAD_CONFIG = 78;

/** One or more settings have unusable values; the message has one line for each key. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/**
 * Reads the settings that `schema` names from environment variables. An empty variable counts as unset,
 * because `docker compose` passes unset ones on as empty. If `KEY` is unset and `KEY_FILE` is set, the
 * value is that file's content, as for secrets of containers.
 *
 * @throws {ConfigError} with one line for each key that has no usable value
 */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: Record<string, string | undefined>,
): z.output<Schema> {
  const problems: string[] = [];
  const given = Object.keys(schema.shape).flatMap((key): [string, string][] => {
    const value = env[key] || fromFile(`${key}_FILE`, env, problems);
    return value ? [[key, value]] : [];
  });
  const result = schema.safeParse(Object.fromEntries(given));
  if (!result.success)
    problems.push(
      ...result.error.issues.map(
        ({ path, message }) => `${path.join('.') || 'settings'}: ${message}`,
      ),
    );
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

function fromFile(
  key: string,
  env: Record<string, string | undefined>,
  problems: string[],
): string | undefined {
  const path = env[key];
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    problems.push(`${key}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

const opsSchema = z.object({ OPS_HOST });

/** Address of a service's health and metrics server: `OPS_HOST`, the same for every service. */
export function opsHost(env: Record<string, string | undefined> = process.env): string {
  return readConfig(opsSchema, env).OPS_HOST;
}

/** Environment variables that a child program needs to be found and to start; no settings, no secrets. */
const PROGRAM_VARIABLES = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot'];

/** The environment of a child program. */
export function programEnvironment(
  env: Record<string, string | undefined> = process.env,
): Record<string, string> {
  return Object.fromEntries(
    PROGRAM_VARIABLES.flatMap((key): [string, string][] => (env[key] ? [[key, env[key]]] : [])),
  );
}
