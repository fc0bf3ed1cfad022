import 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A Redis of its own for each worker of this test run; `redisUrl` in shared/src/testing/worker-redis.ts is this one's. */
    redisUrls: string[];
  }
}
