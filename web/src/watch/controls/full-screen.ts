import { FULL_SCREEN, LEAVE_FULL_SCREEN } from '../watch-messages.js';
import { LabelledButton } from './labelled-button.js';

/** On iPhones only a video fills the screen, with the system's own controls. */
type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/** The button that fills the screen with the picture and its controls. */
export class FullScreenButton {
  private readonly frame: HTMLElement;
  private readonly video: PhoneVideo;
  private readonly button = new LabelledButton('full-screen', () => this.toggle());

  constructor(frame: HTMLElement, video: HTMLVideoElement) {
    this.frame = frame;
    this.video = video;
    this.button.isOffered = document.fullscreenEnabled || this.isPhone;
    document.addEventListener('fullscreenchange', () => this.show());
    this.show();
  }

  toggle(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (document.fullscreenEnabled) this.frame.requestFullscreen().catch(() => undefined);
    else this.video.webkitEnterFullscreen?.();
  }

  private get isPhone(): boolean {
    return this.video.webkitEnterFullscreen !== undefined;
  }

  private show(): void {
    this.button.show(document.fullscreenElement ? LEAVE_FULL_SCREEN : FULL_SCREEN);
  }
}
