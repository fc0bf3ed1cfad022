/** Origin and host of an upgrade request. */
export interface UpgradeOrigin {
  /** The Origin header: browsers always send it, other programs rarely. */
  origin: string | undefined;
  /** The host of the request, with its port; known to be the gateway's. */
  host: string | undefined;
}

/** Matches a default port, which a proxy may write and browsers leave out. */
const DEFAULT_PORT = /:(80|443)$/;

/** Longest origin that a refusal repeats: a host name of 253 characters with scheme and port. */
const MAX_ORIGIN_LENGTH = 267;

/**
 * Whether a page may publish here: the gateway's own, or one of an `allowed` origin. A request without an
 * Origin is no browser's, and so cannot come from another site's page.
 */
export function isAllowedOrigin(
  { origin, host }: UpgradeOrigin,
  allowed: readonly string[] = [],
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  const asked = host?.toLowerCase() ?? '';
  const isOwn = from.host === asked || from.host === asked.replace(DEFAULT_PORT, '');
  return isOwn || allowed.includes(from.origin);
}

/** Why a page may not publish, with the settings that would change it. */
export function originRefusal({ origin = '', host }: UpgradeOrigin): string {
  const from = URL.canParse(origin) ? new URL(origin).origin : 'null';
  if (from === 'null' || from.length > MAX_ORIGIN_LENGTH)
    return 'Pages without an address may not publish here.';
  return (
    `Pages of ${from} may not publish here, where the request was for ${host ?? 'no host'}. ` +
    `If that is this server's own page behind a proxy, set PUBLIC_URL=${from}, or let the proxy pass the ` +
    `host on (nginx: proxy_set_header Host $host). If it is another site's, add it to ALLOWED_ORIGINS.`
  );
}
