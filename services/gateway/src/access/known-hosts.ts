import { isIP } from 'node:net';

/** What a request says about which server it is for. */
export interface HostHeaders {
  headers: { host?: string | undefined; 'x-forwarded-host'?: string | string[] | undefined };
}

/**
 * The names that this server answers to: loopback names, IP addresses, and those of its settings. A page
 * whose own name was made to resolve to this server (DNS rebinding) comes under another one.
 */
export class KnownHosts {
  private readonly names: Set<string>;

  /** @param options.trustProxy how many proxies in front are believed */
  constructor(
    private readonly options: {
      publicUrl?: string | undefined;
      allowedOrigins?: readonly string[] | undefined;
      trustProxy: number;
    },
  ) {
    const { publicUrl, allowedOrigins = [] } = options;
    const urls = publicUrl === undefined ? allowedOrigins : [publicUrl, ...allowedOrigins];
    this.names = new Set(urls.map((url) => new URL(url).hostname));
  }

  /** The host that the client asked for, with its port; undefined where it did not say. */
  of({ headers }: HostHeaders): string | undefined {
    const forwarded = this.options.trustProxy > 0 ? headers['x-forwarded-host'] : undefined;
    return [forwarded].flat()[0]?.split(',')[0]?.trim() ?? headers.host;
  }

  /** Whether a request is for this server. No browser leaves the host out, so who does is no page. */
  isOurs(request: HostHeaders): boolean {
    const host = this.of(request);
    if (host === undefined) return true;
    const name = nameOf(host);
    return name !== undefined && (isLoopbackName(name) || isAddress(name) || this.names.has(name));
  }

  /** Why a request is refused, with the setting that would change it. */
  refusal(request: HostHeaders): string {
    const name = nameOf(this.of(request) ?? '');
    if (name === undefined) return 'That is no host name.';
    return (
      `This server does not answer to the name ${name}. ` +
      `If it is the server's own, set PUBLIC_URL to the address that people open, ` +
      `for instance https://${name}, or add it to ALLOWED_ORIGINS, and start it again.`
    );
  }
}

/** In lower case and without the port; undefined where it cannot be a host. */
function nameOf(host: string): string | undefined {
  if (!/^[\w.:[\]-]{1,261}$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '');
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}
