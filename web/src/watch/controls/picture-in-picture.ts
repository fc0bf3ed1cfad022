import { LEAVE_PICTURE_IN_PICTURE, PICTURE_IN_PICTURE } from '../watch-messages.js';
import { LabelledButton } from './labelled-button.js';

/** The button that shows the picture in a small window of its own, if the browser can. */
export class PictureInPictureButton {
  private readonly video: HTMLVideoElement;
  private readonly button = new LabelledButton('picture-in-picture', () => this.toggle());

  constructor(video: HTMLVideoElement) {
    this.video = video;
    this.button.isOffered = document.pictureInPictureEnabled === true;
    for (const event of ['enterpictureinpicture', 'leavepictureinpicture'])
      video.addEventListener(event, () => this.show());
    this.show();
  }

  toggle(): void {
    if (document.pictureInPictureEnabled !== true) return;
    if (document.pictureInPictureElement) void document.exitPictureInPicture();
    // Refused before there is a picture.
    else this.video.requestPictureInPicture().catch(() => undefined);
  }

  private show(): void {
    const isAway = document.pictureInPictureElement === this.video;
    this.button.show(isAway ? LEAVE_PICTURE_IN_PICTURE : PICTURE_IN_PICTURE);
  }
}
