import { setText } from '../../ui/dom.js';
import { WAITING } from '../watch-messages.js';

/** A picture that stands still for less than this, in milliseconds, is not worth a sign. */
const SHOW_AFTER_MS = 500;

/** Says that playback waits for the picture, as soon as that has lasted for a moment. */
export class WaitingSign {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly sign: HTMLElement,
  ) {
    video.addEventListener('waiting', () => this.wait());
    for (const event of ['loadeddata', 'playing', 'pause', 'ended', 'emptied'])
      video.addEventListener(event, () => this.clear());
  }

  /** A picture is about to come, unless one is there. */
  expectPicture(): void {
    if (this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) this.wait();
  }

  private wait(): void {
    this.timer ??= setTimeout(() => setText(this.sign, WAITING), SHOW_AFTER_MS);
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    setText(this.sign, '');
  }
}
