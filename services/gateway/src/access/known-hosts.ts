import { hostName, isAddress, isLoopbackName } from '@facecast/shared/runtime/host-name';

/** The parts of a request that name the server it is for. */
export interface HostHeaders {
  headers: { host?: string | undefined; 'x-forwarded-host'?: string | string[] | undefined };
}

/**
 * The names that this server answers to: loopback names, IP addresses, and those of its settings. A page
 * whose own name was made to resolve to this server (DNS rebinding) comes under another one.
 */
export class KnownHosts {
  private readonly names: Set<string>;

  /** @param options.trustProxy number of trusted proxies in front */
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

  /** The host that the client asked for, with its port; undefined if it named none. */
  of({ headers }: HostHeaders): string | undefined {
    const forwarded = this.options.trustProxy > 0 ? headers['x-forwarded-host'] : undefined;
    return [forwarded].flat()[0]?.split(',')[0]?.trim() ?? headers.host;
  }

  /** Whether a request is for this server. A request without a host is no browser's, and counts as for it. */
  isOurs(request: HostHeaders): boolean {
    const host = this.of(request);
    if (host === undefined) return true;
    const name = hostName(host);
    return name !== undefined && (isLoopbackName(name) || isAddress(name) || this.names.has(name));
  }

  /** Why a request is refused, with the setting that would change it. */
  refusal(request: HostHeaders): string {
    const name = hostName(this.of(request) ?? '');
    if (name === undefined) return 'That is no host name.';
    return (
      `This server does not answer to the name ${name}. ` +
      `If it is the server's own, set PUBLIC_URL to the address that people open, ` +
      `for instance https://${name}, or add it to ALLOWED_ORIGINS, and start it again. ` +
      `If a proxy put it there, set PUBLIC_URL, and let the proxy pass the host on ` +
      `(nginx: proxy_set_header Host $host).`
    );
  }
}
