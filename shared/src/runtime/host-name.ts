import { isIP } from 'node:net';

/** The name in a `Host` header, in lower case and without the port; undefined if it cannot be a host. */
export function hostName(host: string): string | undefined {
  if (!/^[\w.:[\]-]{1,261}$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '');
}

/** Whether a name always means the machine that asks. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

/** Whether a host is named by its IP address, which nobody can make resolve to another one. */
export function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

/**
 * Whether a `Host` header may be that of a service behind the gateway: a loopback name, an IP address, or a
 * name without a dot, as containers have. Every name that somebody can buy has a dot, so that no page's own
 * name, made to resolve here (DNS rebinding), is one. Who leaves the host out is no page.
 */
export function isInternalHost(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = hostName(host);
  return name !== undefined && (isLoopbackName(name) || isAddress(name) || !name.includes('.'));
}
