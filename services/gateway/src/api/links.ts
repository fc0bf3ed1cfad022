import { isIP } from 'node:net';
import { Router, type Request } from 'express';
import { z } from 'zod';
import type { Bearers } from '../access/bearers.js';
import { addressOf } from '../access/client-address.js';
import type { Owners } from '../access/owners.js';
import type { ViewingLinks } from '../access/viewing-links.js';
import type { Audit } from '../access/audit.js';
import type { DeletedSessions } from '../sessions/deleted-sessions.js';
import { HttpError } from '../errors.js';
import { isSessionId } from '../session-id.js';

/** What the routes of links work with. */
export interface LinkDeps {
  bearers: Bearers;
  owners: Owners;
  links: ViewingLinks;
  deleted: DeletedSessions;
  audit: Audit;
  trustProxy: number;
  publicUrl: string | undefined;
  /** What stands before a path in people's addresses; empty at the root. */
  basePath: string;
}

const DEFAULT_SECONDS = 3_600;
/** Maximum lifetime of a link, in seconds: as long as a recording may be kept. */
const MAX_SECONDS = 366 * 86_400;

const seconds = z.number().int().min(1).max(MAX_SECONDS);

const wantedSchema = z.strictObject({
  /** How long viewers may join by the link, in seconds. */
  expiresIn: seconds.default(DEFAULT_SECONDS),
  /** After how many seconds its viewers must leave; absent: when it expires. */
  leaveAfter: seconds.optional(),
  /** The only client address that it is valid for; `true`: that of the request. */
  address: z.union([z.ipv4(), z.ipv6(), z.literal(true)]).optional(),
});

/** `/api/sessions/<id>/links`: makes and revokes signed links to a private session. */
export function linkRoutes(deps: LinkDeps): Router {
  const { links, audit } = deps;
  const router = Router();

  router.post('/api/sessions/:sessionId/links', async (request, response) => {
    const { sessionId } = request.params;
    const subject = await requireOwner(deps, request, sessionId);
    const wanted = wantedSchema.safeParse(request.body ?? {});
    if (!wanted.success) {
      const where = wanted.error.issues[0]?.path.join('.') || 'the body';
      throw new HttpError(
        400,
        `expiresIn and leaveAfter are seconds, address is one (see: ${where}).`,
      );
    }
    const { expiresIn, leaveAfter = expiresIn, address } = wanted.data;
    const bound = address === true ? addressOf(request, deps.trustProxy) : address;
    const link = await links.make(sessionId, { expiresIn, leaveAfter, address: bound });
    audit.note('make link', subject, sessionId, { link: link.id });
    const at = (path: string) => `${baseOf(request, deps)}${path}?link=${link.token}`;
    response.status(201).json({
      id: link.id,
      url: at(`/watch/${sessionId}`),
      playlistUrl: at(`/hls/${sessionId}/live.m3u8`),
      joinUntil: new Date(link.joinUntil).toISOString(),
      leaveAt: new Date(link.leaveAt).toISOString(),
    });
  });

  router.delete('/api/sessions/:sessionId/links', async (request, response) => {
    const { sessionId } = request.params;
    const subject = await requireOwner(deps, request, sessionId);
    const count = await links.revoke(sessionId);
    audit.note('revoke links', subject, sessionId, { count });
    response.status(204).end();
  });

  router.delete('/api/sessions/:sessionId/links/:linkId', async (request, response) => {
    const { sessionId, linkId } = request.params;
    const subject = await requireOwner(deps, request, sessionId);
    if ((await links.revoke(sessionId, linkId)) === 0) {
      throw new HttpError(404, 'There is no such link (any more).');
    }
    audit.note('revoke links', subject, sessionId, { link: linkId });
    response.status(204).end();
  });

  return router;
}

async function requireOwner(
  { bearers, owners, deleted }: LinkDeps,
  request: Request,
  sessionId: string,
): Promise<string> {
  const needed = "Links need the session's resume token, the publish token or the admin token.";
  const token = bearers.tokenOf(request, needed);
  const isKnown = isSessionId(sessionId) && !deleted.has(sessionId);
  const owner = isKnown ? await owners.of(sessionId) : undefined;
  if (!owner) throw new HttpError(404, 'There is no such session.');
  return owners.require(request, token, owner);
}

/** Address at which people reach the server, without a slash at the end. */
function baseOf({ headers, socket }: Request, deps: LinkDeps): string {
  const { publicUrl, basePath, trustProxy } = deps;
  if (publicUrl !== undefined) return new URL(publicUrl).origin + basePath;
  const forwarded = (name: 'x-forwarded-proto' | 'x-forwarded-host') =>
    trustProxy > 0 ? [headers[name]].flat()[0] : undefined;
  const { localAddress = 'localhost', localPort } = socket;
  const here = `${isIP(localAddress) === 6 ? `[${localAddress}]` : localAddress}:${localPort}`;
  const host = forwarded('x-forwarded-host') ?? headers.host ?? here;
  return `${forwarded('x-forwarded-proto') === 'https' ? 'https' : 'http'}://${host}${basePath}`;
}
