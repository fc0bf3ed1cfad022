/** What an upgrade request says about where it comes from. */
export interface UpgradeOrigin {
  /** The Origin header: browsers always send it, other programs rarely. */
  origin: string | undefined;
  /** The host that the client asked for, with its port. */
  host: string | undefined;
}

/**
 * Whether a page may publish here: one of the gateway's own, or where `allowed` is given one of those
 * origins. What is no browser cannot be made to come by somebody's page, and may.
 */
export function isAllowedOrigin(
  { origin, host }: UpgradeOrigin,
  allowed: readonly string[] | undefined,
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  return allowed ? allowed.includes(from.origin) : from.host === host?.toLowerCase();
}
