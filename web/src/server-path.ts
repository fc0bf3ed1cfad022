/** The part of a page's location that addresses are made from. */
type PageLocation = Pick<Location, 'pathname'>;

/**
 * The path at which this page reaches a path of the server, which a proxy may serve under a path of its own. Not for paths
 * that the server has sent: those begin with it already (`BASE_PATH`). The page is at `/` or `/watch/<id>` of the server.
 */
export function serverPath(path: string, page: PageLocation = location): string {
  const base = page.pathname.replace(/(watch\/)?[^/]*$/, '');
  return base + path.slice(1);
}
