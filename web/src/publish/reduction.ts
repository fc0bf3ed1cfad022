import type { QualityLimitation } from '../uplink/adaptation.js';
import type { Shape } from '../capture/shaped-track.js';

/** The picture sent instead of the best one, and the reason. */
export interface Reduction {
  /** Undefined if only the bitrate is lower. */
  shape: Shape | undefined;
  limitation: QualityLimitation;
}
