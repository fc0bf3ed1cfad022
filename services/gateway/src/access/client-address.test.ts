import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { addressOf, clientOf } from './client-address.js';

const from = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    connection: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

test.each([
  ['192.0.2.1', undefined, 0, '192.0.2.1'],
  ['::ffff:192.0.2.1', undefined, 0, '192.0.2.1'],
  ['10.0.0.1', '192.0.2.1', 0, '10.0.0.1'],
  ['10.0.0.1', '192.0.2.1', 1, '192.0.2.1'],
  ['10.0.0.1', 'forged, 192.0.2.1', 1, '192.0.2.1'],
  ['10.0.0.1', '192.0.2.1, 10.0.0.2', 2, '192.0.2.1'],
  ['10.0.0.1', undefined, 2, '10.0.0.1'],
])(
  'from %s, forwarded for %s, with %i proxies trusted: %s',
  (remote, forwarded, trust, address) => {
    expect(addressOf(from(remote, forwarded), trust)).toBe(address);
  },
);

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['unknown', 'unknown'],
])('%s counts as %s', (address, client) => {
  expect(clientOf(address)).toBe(client);
});
