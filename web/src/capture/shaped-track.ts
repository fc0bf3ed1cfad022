import type { Quality } from '../uplink/quality.js';

/** Pictures as they are: their height in pixels, and how many a second; 0 if the browser does not say. */
export interface Shape {
  height: number;
  frameRate: number;
}

/** How long a browser may take to change a track, in milliseconds; then it goes on as it is. */
const MAX_CHANGE_MS = 2_000;

/** A track whose picture size and rate can be reduced and restored. */
export class ShapedTrack {
  private readonly track: MediaStreamTrack;
  private readonly whole: MediaTrackSettings;

  /** @param track as it is to be at the best quality */
  constructor(track: MediaStreamTrack) {
    this.track = track;
    this.whole = track.getSettings();
  }

  /** Reduces the pictures to this quality, as far as the browser can do that with such a track. */
  async reduceTo(quality: Quality): Promise<Shape> {
    const change = this.track.applyConstraints(this.constraints(quality));
    const waited = new Promise((resolve) => setTimeout(resolve, MAX_CHANGE_MS));
    await Promise.race([change.catch(() => undefined), waited]);
    const { height = 0, frameRate = 0 } = this.track.getSettings();
    return { height, frameRate: Math.round(frameRate) };
  }

  private constraints({ scale, frameRate: most = Infinity }: Quality): MediaTrackConstraints {
    const { width, height, frameRate } = this.whole;
    const side = (pixels: number | undefined) => pixels && { ideal: Math.round(pixels * scale) };
    // The longer side bounds both: a phone that turns is not to be cropped.
    const max = Math.round(Math.max(width ?? 0, height ?? 0) * scale);
    return {
      ...(width && height && { width: { ...side(width), max }, height: { ...side(height), max } }),
      ...(frameRate && { frameRate: { ideal: frameRate, max: Math.min(frameRate, most) } }),
    };
  }
}
