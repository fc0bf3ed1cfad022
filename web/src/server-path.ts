/** The part of a page's location that addresses are made from. */
type PageLocation = Pick<Location, 'pathname'>;

/**
 * The path at which this page reaches a path of the server, which a proxy may serve under a path of its own. A path that
 * the server has sent begins with that already (`BASE_PATH`). The page is at `/` or `/watch/<id>` of the server.
 */
export function serverPath(path: string, page: PageLocation = location): string {
  const base = page.pathname.replace(/(watch\/)?[^/]*$/, '');
  return path.startsWith(base) ? path : base + path.slice(1);
}
