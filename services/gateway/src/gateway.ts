import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChunkStore } from '@facecast/shared/redis/chunks';
import { EventSubscription } from '@facecast/shared/protocol/events';
import { listen } from '@facecast/shared/runtime/health';
import type { Logger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import { connectRedis } from '@facecast/shared/redis/redis';
import { SessionOwners } from '@facecast/shared/redis/session-owners';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { AofRewriter } from './aof-rewriter.js';
import { Audit } from './access/audit.js';
import { SessionStats } from './api/session-stats.js';
import { Bearers } from './access/bearers.js';
import { addressOf } from './access/client-address.js';
import { MetricsAccess } from './access/metrics-access.js';
import { Owners } from './access/owners.js';
import { SessionAccess } from './access/session-access.js';
import { WithheldRecordings } from './access/withheld-recordings.js';
import { ViewingLinks } from './access/viewing-links.js';
import { KnownHosts } from './access/known-hosts.js';
import { PublishTokens } from './access/publish-tokens.js';
import { TokenGuard } from './access/token-guard.js';
import { WrongTokens } from './access/wrong-tokens.js';
import { createApp } from './http/app.js';
import type { GatewayConfig } from './config.js';
import { DeletedSessions } from './sessions/deleted-sessions.js';
import { answerError, HttpError } from './errors.js';
import { IngestServer, isIngestPath, NO_UPGRADE } from './ingest/ingest-server.js';
import { INGEST_LIMITS } from './ingest/limits.js';
import { SearchLoad } from './ingest/search-load.js';
import { LiveSessions } from './sessions/live-sessions.js';
import { addGauge, createGatewayMetrics } from './metrics.js';
import { LivePlaylists } from './playback/live-playlists.js';
import { MediaSender } from './media/media-sender.js';
import { RecentParts } from './media/recent-parts.js';
import { leaveBasePath } from './http/base-path.js';
import { upgradeOf } from './http/upgrade.js';
import { playbackHandler } from './playback/playback-handler.js';
import { isPushPath, PushServer } from './push/push-server.js';
import { Readiness } from './readiness.js';
import { EditOrders } from './media/edit-orders.js';
import { Recordings } from './media/recordings.js';
import { Refusals, tellRefusal } from './access/refusals.js';
import { SessionEvents } from './sessions/session-events.js';
import { Viewers } from './sessions/viewers.js';

const NO_ADMIN_TOKEN =
  'ADMIN_TOKEN is not set: nobody may list the sessions, and links to private ones end with this process';

/** Time after which connections that were told to end are cut, in milliseconds. */
const MAX_CLOSE_MS = 4_000;

/**
 * How long an idle connection is kept, in milliseconds. Longer than load balancers keep theirs: a
 * connection that is closed just when a request comes would lose it.
 */
const KEEP_ALIVE_MS = 65_000;

/** How long a client may take for its headers, and for a whole request; checked every 2 s. */
const SLOW_CLIENTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
};

/** A running gateway. */
export interface Gateway {
  port: number;
  /** Answers held requests, sends publishers to another gateway, and closes everything. */
  close: () => Promise<void>;
}

/** Starts a gateway; resolves when it listens and receives events. */
export async function startGateway(
  config: GatewayConfig,
  log: Logger,
  limits = INGEST_LIMITS,
): Promise<Gateway> {
  const hlsDir = config.HLS_DIR;
  const retentionSeconds = config.RETENTION_MINUTES * 60;
  const redis = connectRedis(config.REDIS_URL, 'producer', log);
  const subscription = await EventSubscription.open(redis, log);
  const registry = new SessionRegistry(redis);
  const sessionOwners = new SessionOwners(redis);
  const events = new SessionEvents();
  const metrics = createGatewayMetrics();
  const load = new SearchLoad();
  const aof = new AofRewriter(redis, log);
  const viewers = new Viewers(redis, log);
  const playlists = new LivePlaylists(hlsDir, log);
  const readiness = new Readiness(redis, hlsDir);
  const closing = new AbortController();
  const sessions = new LiveSessions(redis, registry, sessionOwners, {
    maxSessions: config.MAX_SESSIONS,
    resumeWindowSeconds: config.RESUME_WINDOW_SECONDS,
    retentionSeconds,
  });
  const chunks = new ChunkStore(redis);
  const recordings = new Recordings(config.RECORDINGS_DIR, {
    record: config.RECORD,
    keptHours: config.RECORDING_RETENTION_HOURS,
  });
  const edits = new EditOrders({
    ...{ redis, registry, recordings, hlsDir, log },
    ...{ recordingsDir: config.RECORDINGS_DIR, fps: config.FPS },
  });
  const stats = new SessionStats(registry, viewers, recordings, hlsDir, config.FPS);
  const hosts = new KnownHosts({
    publicUrl: config.PUBLIC_URL,
    allowedOrigins: config.ALLOWED_ORIGINS,
    trustProxy: config.TRUST_PROXY,
  });
  const { PUBLISH_TOKEN, PUBLISHERS_FILE, ADMIN_TOKEN, TRUST_PROXY, BASE_PATH } = config;
  const publishTokens = new PublishTokens({ token: PUBLISH_TOKEN, file: PUBLISHERS_FILE }, log);
  const tokens = new TokenGuard(new WrongTokens());
  const refusals = new Refusals(metrics.registry, log);
  const bearers = new Bearers(tokens, TRUST_PROXY);
  const audit = new Audit(log);
  const owners = new Owners({
    ...{ registry, sessionOwners, recordings, publishTokens, bearers, adminToken: ADMIN_TOKEN },
  });
  const metricsAccess = new MetricsAccess({
    ...{ bearers, owners },
    isBehindProxy: TRUST_PROXY > 0 || config.PUBLIC_URL !== undefined,
  });
  const withheld = new WithheldRecordings({ recordings, owners });
  const links = new ViewingLinks(redis, ADMIN_TOKEN);
  if (ADMIN_TOKEN === undefined) log.warn(NO_ADMIN_TOKEN);
  const deleted = new DeletedSessions({
    ...{ redis, registry, sessionOwners, sessions, recordings, links, hlsDir, log },
  });
  await deleted.sweep();
  const isDeleted = (sessionId: string) => deleted.has(sessionId);
  const access = new SessionAccess({
    ...{ links, owners, isDeleted, trustProxy: TRUST_PROXY },
    isSecure: config.PUBLIC_URL?.startsWith('https:') ?? false,
    basePath: BASE_PATH,
  });
  const ingest = new IngestServer(
    {
      ...{ redis, registry, chunks, sessions, events, load, recordings, stats },
      renderedLog: new RenderedBatchLog(redis),
      ...{ metrics, log, limits, hosts, publishTokens, tokens, refusals, audit, deleted },
      requireHidden: config.REQUIRE_HIDDEN,
      basePath: BASE_PATH,
    },
    config,
  );
  const app = createApp({
    api: {
      hlsDir,
      ...{ registry, events, recordings, edits, stats, bearers, owners, links, deleted },
      ...{ access, withheld, audit },
      trustProxy: TRUST_PROXY,
      publicUrl: config.PUBLIC_URL,
      basePath: BASE_PATH,
      closing: closing.signal,
    },
    checks: readiness.checks,
    metrics,
    metricsAccess,
    log,
    webDir: config.WEB_DIR,
  });

  subscription.on((event) => {
    playlists.receive(event);
    push.receive(event);
    deleted.receive(event);
    load.receive(event);
    aof.receive(event);
    events.deliver(event);
  });
  addGauge(
    metrics.registry,
    'facecast_publishers_connected',
    'Sessions whose publisher is connected to this gateway',
    () => ingest.connected,
  );
  addGauge(
    metrics.registry,
    'facecast_playback_requests_waiting',
    'Playlist and part requests held until what they ask for is there',
    () => playlists.held,
  );

  const recentParts = new RecentParts();
  const push = new PushServer({
    ...{ hlsDir, playlists, registry, access, isDeleted, viewers, audit, log },
    read: async (path) => (await recentParts.read(path)).bytes,
    trustProxy: TRUST_PROXY,
    isKnownOrigin: (request) => ingest.isKnownOrigin(request),
  });
  const play = playbackHandler({
    playlists,
    media: new MediaSender(hlsDir, recentParts),
    audit,
    access,
    withheld,
    recordings,
    viewers,
    metrics,
    log,
    trustProxy: TRUST_PROXY,
    allowedOrigins: config.ALLOWED_ORIGINS ?? [],
  });

  addGauge(
    metrics.registry,
    'facecast_push_viewers',
    'Viewers to whom this gateway pushes parts',
    () => push.size,
  );

  const server = createServer(SLOW_CLIENTS, (request, response) => {
    leaveBasePath(request, BASE_PATH);
    const astray = whyAstray(hosts, request);
    if (astray) {
      const address = addressOf(request, TRUST_PROXY);
      refusals.tell('http', astray.code, { address }, astray.message);
      if (astray.status === 426)
        response.setHeader('Upgrade', 'websocket').setHeader('Connection', 'Upgrade');
      return answerError(log, request, response, astray);
    }
    tellRefusal(refusals, request, response, TRUST_PROXY);
    if (!play(request, response)) app(request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const upgrade = upgradeOf(
    [
      (request, socket, head) => ingest.upgrade(request, socket, head),
      (request, socket, head) => push.upgrade(request, socket, head),
    ],
    { hosts, refusals, trustProxy: TRUST_PROXY },
  );
  server.on('upgrade', (request, socket, head) => {
    leaveBasePath(request, BASE_PATH);
    upgrade(request, socket, head);
  });
  await listen(server, config.PORT, config.HOST);
  const { port } = server.address() as AddressInfo;
  log.info({ port }, 'listening');

  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const cut = setTimeout(() => {
      ingest.cut();
      push.cut();
      server.closeAllConnections();
    }, MAX_CLOSE_MS);
    closing.abort();
    push.close();
    playlists.close();
    await Promise.all([ingest.close(), closed]);
    clearTimeout(cut);
    viewers.close();
    aof.close();
    deleted.close();
    await Promise.all([readiness.close(), sessions.close(), edits.close()]);
    await subscription.close();
    redis.disconnect();
  };
  return { port, close };
}

/** Why a request is refused whoever sent it; undefined if it is not. */
function whyAstray(hosts: KnownHosts, request: IncomingMessage): HttpError | undefined {
  if (!hosts.isOurs(request)) return new HttpError(421, hosts.refusal(request));
  const isSocket = isIngestPath(request.url) || isPushPath(request.url);
  return isSocket ? new HttpError(426, NO_UPGRADE) : undefined;
}
