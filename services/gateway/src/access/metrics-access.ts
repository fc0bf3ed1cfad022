import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import { hostName, isAddress, isLoopbackName } from '@facecast/shared/runtime/host-name';
import type { Bearers } from './bearers.js';
import type { Owners } from './owners.js';

/** Loopback addresses, and those of the networks that Docker makes on this machine. */
const NEAR = new BlockList();
NEAR.addSubnet('127.0.0.0', 8);
NEAR.addAddress('::1', 'ipv6');
NEAR.addSubnet('172.16.0.0', 12);

/** Headers that proxies add. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

const NEEDED = 'Metrics need the admin token, unless the request comes from this machine.';

/**
 * Decides who may read the gateway's metrics, which are at its public port: this machine and its containers, as
 * with the metrics of other services, and holders of the admin token.
 */
export class MetricsAccess {
  constructor(
    private readonly parts: {
      bearers: Bearers;
      owners: Pick<Owners, 'isAdmin'>;
      /** Whether the settings say that there is a proxy in front: it may be on this machine. */
      isBehindProxy: boolean;
    },
  ) {}

  /** @throws {HttpError} if the request is from elsewhere, and has no admin token */
  enter(request: IncomingMessage): void {
    const { bearers, owners, isBehindProxy } = this.parts;
    if (!isBehindProxy && isFromThisMachine(request)) return;
    const token = bearers.tokenOf(request, NEEDED);
    bearers.require(request, token, { made: (given) => owners.isAdmin(given) });
  }
}

/** Whether a request comes from this machine or its containers, without any sign of a proxy. */
function isFromThisMachine({ socket, headers }: IncomingMessage): boolean {
  const { remoteAddress = '', remoteFamily } = socket;
  const isLocal = NEAR.check(remoteAddress, remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4');
  if (!isLocal || PROXY_HEADERS.some((name) => headers[name] !== undefined)) return false;
  if (headers.host === undefined) return true;
  const name = hostName(headers.host);
  return name !== undefined && (isLoopbackName(name) || isAddress(name));
}
