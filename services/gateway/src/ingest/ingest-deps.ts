import type { ChunkStore } from '@facecast/shared/redis/chunks';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import type { Redis } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { KnownHosts } from '../access/known-hosts.js';
import type { PublishTokens } from '../access/publish-tokens.js';
import type { TokenGuard } from '../access/token-guard.js';
import type { SessionStats } from '../api/session-stats.js';
import type { Audit } from '../access/audit.js';
import type { DeletedSessions } from '../sessions/deleted-sessions.js';
import type { LiveSessions } from '../sessions/live-sessions.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Recordings } from '../media/recordings.js';
import type { Refusals } from '../access/refusals.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { IngestLimits } from './limits.js';
import type { SearchLoad } from './search-load.js';

/** What the connections of publishers work with. */
export interface IngestDeps {
  redis: Redis;
  registry: SessionRegistry;
  chunks: ChunkStore;
  renderedLog: Pick<RenderedBatchLog, 'append'>;
  sessions: LiveSessions;
  events: SessionEvents;
  load: SearchLoad;
  recordings: Recordings;
  stats: SessionStats;
  hosts: KnownHosts;
  publishTokens: PublishTokens;
  tokens: TokenGuard;
  refusals: Refusals;
  audit: Audit;
  deleted: Pick<DeletedSessions, 'has' | 'delete'>;
  /** Whether effects that do not hide faces are refused. */
  requireHidden: boolean;
  /** What stands before a path in people's addresses; empty at the root. */
  basePath: string;
  metrics: GatewayMetrics;
  log: Logger;
  limits: IngestLimits;
}
