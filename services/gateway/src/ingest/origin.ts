/** What an upgrade request says about where it comes from. */
export interface UpgradeOrigin {
  /** The Origin header: browsers always send it, other programs rarely. */
  origin: string | undefined;
  /** The host that the client asked for, with its port, which is known to be the gateway's. */
  host: string | undefined;
}

/**
 * Whether a page may publish here: the gateway's own, or one of an `allowed` origin. A request without an
 * Origin is no browser's, so no other site's page can have made it, and may.
 */
export function isAllowedOrigin(
  { origin, host }: UpgradeOrigin,
  allowed: readonly string[] = [],
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  return from.host === host?.toLowerCase() || allowed.includes(from.origin);
}
