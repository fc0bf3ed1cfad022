import { seekableWindow } from './media-buffer.js';
import type { Player, SeekWindow } from './player.js';

/** The recording of a stream that is over, which begins when the viewer presses Play. */
export class RecordingPlayer implements Player {
  private readonly video: HTMLVideoElement;

  /** @param url of the MP4 */
  constructor(video: HTMLVideoElement, url: string) {
    this.video = video;
    video.src = url;
  }

  get window(): SeekWindow | undefined {
    return seekableWindow(this.video);
  }

  seek(time: number): void {
    this.video.currentTime = time;
  }

  /** A recording has no live edge. */
  returnToLive(): void {}

  /** The dates of a recording are of no moment that a viewer waits for. */
  dateShown(): undefined {}

  close(): void {
    this.video.removeAttribute('src');
    this.video.load();
  }
}
