import 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A Redis of this test run's own, started by tests/src/setup/redis.ts. */
    redisUrl: string;
  }
}
