import { expect, test } from 'vitest';
import { acceptsGzip } from './accepts-gzip.js';

test.each<[header: string | undefined, accepted: boolean]>([
  ['gzip', true],
  ['gzip, deflate, br', true],
  ['br;q=1.0, GZIP;q=0.8', true],
  ['gzip;q=0.001', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000, br', false],
  ['br', false],
  ['identity', false],
  ['', false],
  [undefined, false],
])('%j: %j', (header, accepted) => expect(acceptsGzip(header)).toBe(accepted));
