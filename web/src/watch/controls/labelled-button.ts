import { byId } from '../../ui/dom.js';

/** What a button does at the moment, and how it looks. */
export interface ButtonFace {
  label: string;
  /** Id of a symbol of `player-symbols.svg`. */
  symbol: string;
}

/** A button with a symbol, which says what a press does and which key does the same. */
export class LabelledButton {
  private readonly button: HTMLButtonElement;
  private readonly use: SVGUseElement;

  constructor(id: string, onPress: () => void) {
    this.button = byId(id, HTMLButtonElement);
    this.use = this.button.querySelector('use')!;
    this.button.addEventListener('click', onPress);
  }

  set isOffered(isOffered: boolean) {
    this.button.hidden = !isOffered;
  }

  show({ label, symbol }: ButtonFace): void {
    if (this.button.getAttribute('aria-label') === label) return;
    this.button.setAttribute('aria-label', label);
    const key = this.button.getAttribute('aria-keyshortcuts');
    this.button.title = key === null ? label : `${label} (${key.toLowerCase()})`;
    this.use.setAttribute('href', `#${symbol}`);
  }
}
