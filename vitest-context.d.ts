import 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A Redis of its own for each worker of this test run; `redisUrl` in shared/src/testing/worker-redis.ts is this one's. */
    redisUrls: string[];
    /** A directory in memory for the clips of this test run: `cached` in tests/src/support/clip-cache.ts. */
    clipCache: string;
  }
}
