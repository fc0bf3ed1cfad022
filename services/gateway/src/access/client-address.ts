import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import proxyaddr from 'proxy-addr';

/**
 * The address that a request came from, read from the headers of trusted proxies.
 * @param trustProxy number of trusted proxies in front
 */
export function addressOf(request: IncomingMessage, trustProxy: number): string {
  const address = proxyaddr(request, (_address, hops) => hops < trustProxy) as string | undefined;
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '');
}

/**
 * What counts as one client: an IPv4 address, or an IPv6 /64, because its holder can use every address in it.
 */
export function clientOf(address: string): string {
  if (!isIPv6(address)) return address;
  // The URL parser gives each address its one shortest form.
  const [head = '', tail = ''] = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname
    .slice(1, -1)
    .split('::');
  const groups = head === '' ? [] : head.split(':');
  const omitted = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const network = [...groups, ...Array.from({ length: omitted }, () => '0')].slice(0, 4);
  return `${network.join(':')}::/64`;
}
