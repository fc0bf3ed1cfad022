import type { QualityLimitation } from '../uplink/adaptation.js';
import type { Shape } from '../capture/shaped-track.js';

/** What is sent instead of the best picture, and why. */
export interface Reduction {
  /** Undefined where only the encoder has fewer bits. */
  shape: Shape | undefined;
  limitation: QualityLimitation;
}
