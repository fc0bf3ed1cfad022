import { expect, test } from 'vitest';
import { isInternalHost } from './host-name.js';

test.each([
  undefined,
  'localhost:4001',
  'phone.localhost',
  '127.0.0.1:4001',
  '[::1]:9090',
  '10.0.3.7:9090',
  'face-detector:9090',
  'cast-face-detector-2',
])('%s may be a service', (host) => {
  expect(isInternalHost(host)).toBe(true);
});

test.each([
  'rebound.example:4001',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'evil.example.',
  'x; y',
  '',
])('%j is none', (host) => {
  expect(isInternalHost(host)).toBe(false);
});
