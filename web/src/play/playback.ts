import { openPlayer } from './open-player.js';
import type { Delivery, Player, SeekWindow } from './player.js';
import { RecordingPlayer } from './recording-player.js';
import type { LocalProblem } from '../problem.js';

/** How often it is told how late the picture is, in milliseconds: calm to look at. */
const DATE_EVERY_MS = 1_000;

export interface PlaybackEvents {
  /** The date in the playlist of the picture on the screen; undefined where none is playing. */
  onDate(date: number | undefined): void;
  onProblem(problem: LocalProblem): void;
  /** The stream has sound. */
  onSound?(): void;
  onDelivery?(delivery: Delivery): void;
}

/** A page's processed picture: one stream or recording played after another. */
export class Playback {
  private readonly video: HTMLVideoElement;
  private readonly events: PlaybackEvents;
  private player: Player | undefined;

  constructor(video: HTMLVideoElement, events: PlaybackEvents) {
    this.video = video;
    this.events = events;
    setInterval(() => this.tellDate(), DATE_EVERY_MS);
  }

  /** Plays this playlist, unless one is being played. */
  open(playlistUrl: string): void {
    if (this.player) return;
    this.player = openPlayer(this.video, playlistUrl, {
      onPlaying: () => this.tellDate(),
      onProblem: (problem) => this.events.onProblem(problem),
      onSound: () => this.events.onSound?.(),
      onDelivery: (delivery) => this.events.onDelivery?.(delivery),
    });
    if (!this.player) this.events.onProblem('playback_unsupported');
  }

  /** Plays the recording at this address in place of what is played. */
  openRecording(url: string): void {
    this.close();
    this.player = new RecordingPlayer(this.video, url);
  }

  /** What the viewer can move in; undefined while there is nothing. */
  get window(): SeekWindow | undefined {
    return this.player?.window;
  }

  /** Goes on at this time of the window. */
  seek(time: number): void {
    this.player?.seek(time);
  }

  /** Goes on at the live edge, even after a pause. */
  returnToLive(): void {
    this.player?.returnToLive();
    this.play();
  }

  /** Plays, from the beginning if everything has been played. */
  play(): void {
    const { window } = this;
    if (this.video.ended && window) this.seek(window.from);
    // Refused autoplay leaves the element paused, which the page shows.
    this.video.play().catch(() => undefined);
  }

  close(): void {
    this.player?.close();
    this.player = undefined;
  }

  private tellDate(): void {
    const { paused, ended } = this.video;
    this.events.onDate(paused || ended ? undefined : this.player?.dateShown());
  }
}
