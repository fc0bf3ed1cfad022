import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { byId } from '../ui/dom.js';
import type { Arrival, Protection, ProtectionEvent } from './protection.js';
import { arrivalNote, promise, question } from './publish-messages.js';

/** Two presses of Escape within this time hide everything, in milliseconds. */
const TWICE_WITHIN_MS = 1_000;

/** Shows how viewers are protected: the choice, the question before they see more, Hide everything now. */
export class ProtectionView {
  private readonly effect = byId('effect', HTMLSelectElement);
  private readonly guard = byId('guard', HTMLElement);
  private readonly hide = byId('hide', HTMLButtonElement);
  private readonly hint = byId('hide-hint', HTMLElement);
  private readonly arrival = byId('arrival', HTMLElement);
  private readonly question = byId('question', HTMLElement);
  private readonly words = byId('question-words', HTMLElement);
  private readonly keep = byId('keep', HTMLButtonElement);
  private readonly confirm = byId('confirm', HTMLButtonElement);
  private hidden = false;
  private canHide = false;
  private escapedAtMs = -Infinity;
  /** The element that had the focus before the question. */
  private cameFrom: HTMLElement | undefined;

  constructor(on: (event: ProtectionEvent) => void) {
    this.effect.addEventListener('change', () =>
      on({ type: 'choose_effect', effect: this.chosenEffect }),
    );
    this.hide.addEventListener('click', () => on({ type: this.hidden ? 'show' : 'hide' }));
    this.keep.addEventListener('click', () => on({ type: 'keep' }));
    this.confirm.addEventListener('click', () => on({ type: 'confirm' }));
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.repeat || !this.canHide) return;
      // The time of the press: a busy page handles it later.
      const now = event.timeStamp;
      const isSecond = now - this.escapedAtMs < TWICE_WITHIN_MS;
      this.escapedAtMs = isSecond ? -Infinity : now;
      if (isSecond) on({ type: 'hide' });
      else if (!this.question.hidden) on({ type: 'keep' });
    });
  }

  /** The effect chosen in the list. */
  get chosenEffect(): Effect {
    return this.effect.value as Effect;
  }

  /** Offers only these effects: the server refuses the others. */
  offer(effects: readonly Effect[]): void {
    for (const option of this.effect.options)
      option.disabled = !effects.includes(option.value as Effect);
  }

  /** @param canHide whether others see a picture, or may soon */
  show(protection: Protection, canHide: boolean): void {
    const { effect, hidden, asked } = protection;
    this.hidden = hidden;
    this.canHide = canHide;
    this.effect.value = asked?.effect ?? effect;
    this.guard.hidden = !canHide;
    document.body.toggleAttribute('data-hidden', hidden && canHide);
    this.hide.textContent = hidden ? 'Show the picture again' : 'Hide everything now';
    this.hide.classList.toggle('alarm', !hidden);
    this.hint.hidden = hidden;
    const symbol = `#face-${effect}`;
    byId('effect-glyph', SVGUseElement).setAttribute('href', symbol);
    document.querySelector('.brand-mark use')!.setAttribute('href', symbol);
    byId('promise', HTMLElement).textContent = promise(effect);
    this.ask(canHide && asked ? question(protection, asked) : undefined);
  }

  /** Shows how long viewers still see the old picture. */
  showArrival(arrival: Arrival, wish: Protection): void {
    const note = arrivalNote(arrival, wish);
    if (this.arrival.textContent !== note) this.arrival.textContent = note;
  }

  private ask(asked: ReturnType<typeof question> | undefined): void {
    const wasAsked = !this.question.hidden;
    this.question.hidden = !asked;
    if (asked) {
      this.words.textContent = asked.words;
      this.keep.textContent = asked.keep;
      this.confirm.textContent = asked.confirm;
      if (wasAsked) return;
      this.cameFrom = document.activeElement as HTMLElement;
      this.keep.focus();
    } else if (wasAsked) this.cameFrom?.focus();
  }
}
