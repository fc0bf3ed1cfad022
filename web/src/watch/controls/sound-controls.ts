import { byId } from '../../ui/dom.js';
import { SOUND_OFF, SOUND_ON, volumeWords } from '../watch-messages.js';
import { LabelledButton } from './labelled-button.js';

/** Volume after sound that was turned down to nothing is switched on. */
const AUDIBLE = 0.5;

/** The sound's switch and volume, and why there is none at first: browsers begin it only after a press. */
export class SoundControls {
  private readonly video: HTMLVideoElement;
  private readonly box = byId('sound-controls', HTMLElement);
  private readonly button = new LabelledButton('sound', () => this.toggle());
  private readonly slider = byId('volume', HTMLInputElement);
  private readonly hint = byId('sound-hint', HTMLButtonElement);

  constructor(video: HTMLVideoElement) {
    this.video = video;
    this.slider.hidden = !canSetVolume(video);
    this.slider.addEventListener('input', () => this.setVolume(Number(this.slider.value) / 100));
    this.hint.addEventListener('click', () => this.toggle());
    video.addEventListener('volumechange', () => this.show());
    this.show();
  }

  /** There is sound, which is off. */
  offer(): void {
    this.box.hidden = false;
    this.show();
  }

  /** There is sound, which is on as soon as the viewer presses Play. */
  offerOn(): void {
    this.video.muted = false;
    this.offer();
  }

  /** Switches the sound, if there is any. */
  toggle(): void {
    if (this.box.hidden) return;
    const { video } = this;
    if (video.muted && video.volume === 0) video.volume = AUDIBLE;
    video.muted = !video.muted;
  }

  private setVolume(volume: number): void {
    this.video.volume = volume;
    this.video.muted = volume === 0;
  }

  private show(): void {
    const { muted, volume } = this.video;
    const percent = muted ? 0 : Math.round(volume * 100);
    this.button.show(muted ? SOUND_ON : SOUND_OFF);
    this.slider.value = String(percent);
    this.slider.setAttribute('aria-valuetext', volumeWords(percent));
    this.slider.style.setProperty('--filled', `${percent}%`);
    // Who has once had sound knows where it is.
    if (!muted) this.hint.remove();
    this.hint.hidden = this.box.hidden;
  }
}

/** On phones the volume is the device's alone. */
function canSetVolume(video: HTMLVideoElement): boolean {
  const before = video.volume;
  video.volume = AUDIBLE;
  const isSet = video.volume === AUDIBLE;
  video.volume = before;
  return isSet;
}
