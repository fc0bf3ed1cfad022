import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'units',
          include: [
            'shared/src/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'web/src/**/*.test.ts',
            'scripts/**/*.test.mjs',
          ],
          globalSetup: ['tests/src/setup/redis.ts'],
          // The tests share one Redis, emptied before each file.
          fileParallelism: false,
          sequence: { groupOrder: 0 },
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['tests/src/**/*.test.ts'],
          globalSetup: ['tests/src/setup/redis.ts'],
          fileParallelism: false,
          // Whole systems, after the units: they want the machine for themselves.
          sequence: { groupOrder: 1 },
          expect: { poll: { timeout: 60_000, interval: 100 } },
          testTimeout: 180_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
