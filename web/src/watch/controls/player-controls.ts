import type { Playback } from '../../play/playback.js';
import { byId } from '../../ui/dom.js';
import { PAUSE, PLAY } from '../watch-messages.js';
import { FacesGraph } from './faces-graph.js';
import { FullScreenButton } from './full-screen.js';
import { IdleControls } from './idle-controls.js';
import { listenForShortcuts, releaseFocusAfterPress } from './keyboard.js';
import { LabelledButton } from './labelled-button.js';
import { PictureInPictureButton } from './picture-in-picture.js';
import { Scrubber } from './scrubber.js';
import { followingOf, seekTo, seekToFraction, type Following, type SeekTarget } from './seeking.js';
import type { PlayerCommand } from './shortcuts.js';
import { SoundControls } from './sound-controls.js';
import { WaitingSign } from './waiting-sign.js';

/** When what is shown of the playback may have changed. */
const CHANGES = [
  ...['emptied', 'durationchange', 'play', 'pause', 'ended'],
  ...['timeupdate', 'seeking', 'seeked'],
];

/** The buttons, sliders and keys with which a viewer plays a stream or a recording. */
export class PlayerControls {
  readonly sound: SoundControls;
  private readonly bar = byId('controls', HTMLElement);
  private readonly live = byId('back-to-live', HTMLButtonElement);
  private readonly play = new LabelledButton('play', () => this.togglePlay());
  private readonly scrubber = new Scrubber((time) => this.goTo(time));
  private readonly fullScreen: FullScreenButton;
  private readonly pictureInPicture: PictureInPictureButton;
  private readonly waiting: WaitingSign;
  private isLive = false;

  constructor(
    private readonly frame: HTMLElement,
    private readonly video: HTMLVideoElement,
    private readonly playback: Playback,
  ) {
    this.sound = new SoundControls(video);
    this.fullScreen = new FullScreenButton(frame, video);
    this.pictureInPicture = new PictureInPictureButton(video);
    this.waiting = new WaitingSign(video, byId('waiting', HTMLElement));
    new IdleControls(frame, this.bar, byId('help', HTMLDetailsElement), video);
    // Phones load a recording's first picture only when it is played.
    video.addEventListener('loadedmetadata', () => (this.bar.hidden = false));
    for (const event of CHANGES) video.addEventListener(event, () => this.show());
    this.live.addEventListener('click', () => this.playback.returnToLive());
    byId('large-play', HTMLButtonElement).addEventListener('click', () => this.togglePlay());
    releaseFocusAfterPress(this.bar);
    this.listenForPresses();
    listenForShortcuts((command) => !this.bar.hidden && this.carryOut(command));
    this.show();
  }

  /** Whether the stream is live, so that there is something to go back to. */
  setLive(isLive: boolean): void {
    if (isLive && !this.isLive) this.waiting.expectPicture();
    this.isLive = isLive;
    this.show();
  }

  /** Shows the faces over the time of the recording that is being opened, from its face timeline. */
  showFaces(url: string): void {
    const { video } = this;
    const show = () => void new FacesGraph().show(url, video.duration);
    video.addEventListener('loadedmetadata', show, { once: true });
  }

  /** Where the viewer of a live stream is. */
  get following(): Following {
    const { paused, currentTime } = this.video;
    return followingOf(paused, currentTime, this.playback.window);
  }

  /** A click on the picture is one on Play; a tap only brings the controls. */
  private listenForPresses(): void {
    this.video.addEventListener('click', (event) => {
      const isMouse = event instanceof PointerEvent && event.pointerType === 'mouse';
      if (isMouse && !this.bar.hidden) this.togglePlay();
    });
    this.video.addEventListener('dblclick', () => this.fullScreen.toggle());
  }

  /** False if there was nothing to do. */
  private carryOut(command: PlayerCommand): boolean {
    const { window } = this.playback;
    switch (command.name) {
      case 'play':
        this.togglePlay();
        return true;
      case 'mute':
        this.sound.toggle();
        return true;
      case 'full-screen':
        this.fullScreen.toggle();
        return true;
      case 'picture-in-picture':
        this.pictureInPicture.toggle();
        return true;
      case 'seek-by':
        if (window) this.goTo(seekTo(window, this.video.currentTime + command.seconds));
        return window !== undefined;
      case 'seek-to':
        if (window) this.goTo(seekToFraction(window, command.fraction));
        return window !== undefined;
    }
  }

  private goTo(target: SeekTarget): void {
    if (target !== 'live') this.playback.seek(target);
    else if (this.following !== 'edge') this.playback.returnToLive();
  }

  private togglePlay(): void {
    if (this.video.paused) this.playback.play();
    else this.video.pause();
  }

  private show(): void {
    const { paused, ended, currentTime } = this.video;
    const isBehind = this.isLive && !ended && this.following !== 'edge';
    this.frame.classList.toggle('is-paused', paused);
    this.frame.classList.toggle('is-behind', isBehind);
    this.frame.classList.toggle('can-seek', this.playback.window !== undefined);
    this.play.show(paused ? PLAY : PAUSE);
    this.live.hidden = !isBehind;
    this.scrubber.show(this.playback.window, currentTime);
  }
}
