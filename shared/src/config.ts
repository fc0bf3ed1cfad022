import { z } from 'zod';

/** Exit code for a refused configuration (EX_CONFIG of sysexits.h): a supervisor must not retry. */
export const EXIT_BAD_CONFIG = 78;

/** One or more settings have values that cannot be used; `problems` has one line for each key. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/**
 * Reads the settings that `schema` names from environment variables.
 * An empty variable counts as unset, because `docker compose` passes unset ones on as empty.
 *
 * @throws {ConfigError} with one line for each key that has no usable value
 */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: Record<string, string | undefined>,
): z.output<Schema> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`),
  );
}
