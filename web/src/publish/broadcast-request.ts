import type { Stats, Visibility } from '@facecast/shared/protocol/ingest-protocol';
import type { SourceChoice } from '../capture/source.js';
import type { StartedSession } from '../uplink/started-session.js';
import type { WantedProtection } from './protection.js';
import type { PublishEvent } from './publish-state.js';
import type { Reduction } from './reduction.js';

/** The source to share. */
export interface SourceRequest {
  source: SourceChoice;
  withSound: boolean;
}

/** What a person chooses when going live. */
export interface Terms {
  /** Whether the server is to keep a recording. */
  record: boolean;
  visibility: Visibility;
}

/** What a person chose when pressing Start. */
export interface BroadcastRequest extends SourceRequest {
  wish: WantedProtection;
  /** Empty if none was entered. */
  token: string;
  /** The session on air that goes on; undefined: a preview begins. */
  session: StartedSession | undefined;
}

export interface BroadcastListener {
  onEvent(event: PublishEvent): void;
  onStats(stats: Stats): void;
  /** Called when less than the best picture is sent from now on; undefined: the best again. */
  onReduced(reduction: Reduction | undefined): void;
}

/** Where this page loses time. */
export interface SendingSigns {
  /** Time since the source's last bytes, in seconds; undefined before its first. */
  silentSeconds: number | undefined;
  /** Age of the oldest chunk that the server does not have, in seconds. */
  waitedSeconds: number | undefined;
}
