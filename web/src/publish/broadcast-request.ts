import type { Stats } from '@facecast/shared/protocol/ingest-protocol';
import type { SourceChoice } from '../capture/source.js';
import type { StartedSession } from '../uplink/started-session.js';
import type { WantedProtection } from './protection.js';
import type { PublishEvent } from './publish-state.js';
import type { Reduction } from './reduction.js';

/** What is to be shared. */
export interface SourceRequest {
  source: SourceChoice;
  withSound: boolean;
}

/** What a person asked for when pressing Start. */
export interface BroadcastRequest extends SourceRequest {
  wish: WantedProtection;
  /** Empty where none was entered. */
  token: string;
  /** The session that goes on, which is on air; undefined: a preview begins. */
  session: StartedSession | undefined;
}

export interface BroadcastListener {
  onEvent(event: PublishEvent): void;
  onStats(stats: Stats): void;
  /** Less than the best picture is sent from now on; undefined: the best again. */
  onReduced(reduction: Reduction | undefined): void;
}

/** What this side knows of where time is lost. */
export interface SendingSigns {
  /** Since the source gave its last bytes, in seconds; undefined before its first. */
  silentSeconds: number | undefined;
  /** How long the oldest chunk waits that the server does not have, in seconds. */
  waitedSeconds: number | undefined;
}
