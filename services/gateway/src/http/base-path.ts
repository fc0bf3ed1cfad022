import type { IncomingMessage } from 'node:http';

/**
 * Takes the base path off a request's address, so that nothing behind it knows of one. A proxy may have
 * done so already; then the address stays as it is.
 * @param basePath with a slash at its beginning and none at its end; empty at the root
 */
export function leaveBasePath(request: IncomingMessage, basePath: string): void {
  const { url = '' } = request;
  if (url.startsWith(`${basePath}/`)) request.url = url.slice(basePath.length);
}
