import { defineConfig } from 'vitest/config';

const nightly = process.env['NIGHTLY'] === '1';

export default defineConfig({
  test: {
    include: ['services/*/test/**/*.test.ts', 'infra/test/**/*.test.ts'],
    exclude: nightly ? [] : ['**/*.nightly.test.ts'],
    // Each file starts servers and clients of its own: two files at a time keep two cores busy.
    pool: 'forks',
    maxWorkers: 2,
    // Bounds for a test that hangs, not for one that is slow: real clients on a busy machine take their time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
  },
});
