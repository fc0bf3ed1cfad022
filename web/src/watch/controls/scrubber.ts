import type { SeekWindow } from '../../play/player.js';
import { byId, setText } from '../../ui/dom.js';
import { positionWords } from '../watch-messages.js';
import { clockTime } from './time-words.js';

/** Where a recording is, and the way to another place of it. */
export class Scrubber {
  private readonly box = byId('scrubber-box', HTMLElement);
  private readonly slider = byId('scrubber', HTMLInputElement);
  private readonly times = byId('times', HTMLElement);

  /** @param onSeek called with a time of the window, in seconds */
  constructor(onSeek: (time: number) => void) {
    this.slider.addEventListener('input', () => onSeek(Number(this.slider.value)));
  }

  /** Shows this place, in seconds of the window; of a live stream there is nothing to show. */
  show(window: SeekWindow | undefined, time: number): void {
    const isShown = window !== undefined && !window.isLive;
    this.box.hidden = !isShown;
    this.times.hidden = !isShown;
    if (!isShown) return;
    const [played, whole] = [time - window.from, window.to - window.from];
    this.slider.min = String(window.from);
    this.slider.max = String(window.to);
    this.slider.value = String(time);
    this.slider.setAttribute('aria-valuetext', positionWords(played, whole));
    this.slider.style.setProperty('--filled', `${(100 * played) / whole}%`);
    setText(this.times, `${clockTime(played)} / ${clockTime(whole)}`);
  }
}
