import { areControlsShown, HIDE_AFTER_MS } from './controls-visibility.js';

/** Hides the controls of a playing video from who only watches, with the mouse's pointer. */
export class IdleControls {
  private stirredAt = performance.now();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly frame: HTMLElement,
    private readonly controls: HTMLElement,
    private readonly help: HTMLDetailsElement,
    private readonly video: HTMLVideoElement,
  ) {
    // Not at the beginning of a touch: its end would press what has just appeared.
    for (const event of ['click', 'input', 'focusin'])
      frame.addEventListener(event, () => this.stir());
    frame.addEventListener('pointermove', ({ pointerType }) => {
      if (pointerType !== 'touch') this.stir();
    });
    frame.addEventListener('pointerleave', ({ pointerType }) => {
      if (pointerType !== 'touch') this.leave();
    });
    document.addEventListener('keydown', () => this.stir());
    for (const event of ['play', 'pause']) video.addEventListener(event, () => this.stir());
    help.addEventListener('toggle', () => this.stir());
  }

  private stir(): void {
    this.stirredAt = performance.now();
    this.show();
  }

  /** Who has left the picture is not about to press anything. */
  private leave(): void {
    this.stirredAt = -Infinity;
    this.show();
  }

  private show(): void {
    const isShown = areControlsShown({
      isPlaying: !this.video.paused,
      idleMs: performance.now() - this.stirredAt,
      isFocused: this.controls.querySelector(':focus-visible') !== null,
      isPointedAt: hasMouse() && this.controls.matches(':hover'),
      isHelpOpen: this.help.open,
    });
    this.frame.classList.toggle('is-idle', !isShown);
    clearTimeout(this.timer);
    if (isShown && !this.video.paused) this.timer = setTimeout(() => this.show(), HIDE_AFTER_MS);
  }
}

/** On a touch screen, what was touched last counts as pointed at. */
function hasMouse(): boolean {
  return matchMedia('(hover: hover)').matches;
}
