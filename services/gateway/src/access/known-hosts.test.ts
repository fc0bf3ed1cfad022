import { expect, test } from 'vitest';
import { KnownHosts } from './known-hosts.js';

const hosts = new KnownHosts({
  publicUrl: 'https://cast.example/live',
  allowedOrigins: ['https://school.example:8443'],
  trustProxy: 0,
});
const asked = (host?: string, forwarded?: string) => ({
  headers: {
    ...(host !== undefined && { host }),
    ...(forwarded !== undefined && { 'x-forwarded-host': forwarded }),
  },
});

test.each([
  'localhost',
  'localhost:4000',
  'LOCALHOST:4000',
  'phone.localhost',
  '127.0.0.1:4000',
  '192.168.1.7',
  '[::1]:4000',
  '[2001:db8::1]',
  'cast.example',
  'cast.example:443',
  'Cast.Example.',
  'school.example',
])('%s is this server', (host) => {
  expect(hosts.isOurs(asked(host))).toBe(true);
});

test.each([
  'evil.example',
  'localhost.evil.example',
  'notlocalhost',
  'cast.example.evil.example',
  '127.0.0.1.evil.example',
  'x; y',
  '',
  'a@localhost',
  'localhost/..',
])('%j is not', (host) => {
  expect(hosts.isOurs(asked(host))).toBe(false);
});

test('a client that names no host is no page', () => {
  expect(hosts.isOurs(asked())).toBe(true);
});

test('a proxy’s word counts where one is trusted, and only there', () => {
  const trusting = new KnownHosts({ trustProxy: 1 });
  expect(trusting.isOurs(asked('localhost', 'evil.example'))).toBe(false);
  expect(trusting.isOurs(asked('upstream', 'localhost'))).toBe(true);
  expect(hosts.isOurs(asked('evil.example', 'localhost'))).toBe(false);
});

test('the refusal names the settings', () => {
  expect(hosts.refusal(asked('evil.example:80'))).toMatch(
    /name evil\.example\..*PUBLIC_URL.*https:\/\/evil\.example.*ALLOWED_ORIGINS/,
  );
  expect(hosts.refusal(asked('<b>'))).not.toContain('<b>');
});
