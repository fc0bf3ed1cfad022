/** The words on a button: at first, and when it asks. */
export interface ButtonWords {
  press: string;
  confirm: string;
}

export const DELETE: ButtonWords = { press: 'Delete', confirm: 'Delete for good' };
export const CUT: ButtonWords = { press: 'Cut them off', confirm: 'Cut off for good' };

/** A button for what cannot be undone: its first press asks, the second acts. */
export class ConfirmedButton {
  readonly element: HTMLButtonElement;
  private readonly words: ButtonWords;
  private readonly name: string;
  private readonly act: () => Promise<void>;
  private asks = false;

  /** @param name of the object, for the button's accessible name */
  constructor(
    words: ButtonWords,
    name: string,
    act: () => Promise<void>,
    element = document.createElement('button'),
  ) {
    this.words = words;
    this.name = name;
    this.act = act;
    this.element = element;
    element.type = 'button';
    element.classList.add('secondary');
    element.addEventListener('click', () => void this.press());
    element.addEventListener('blur', () => this.reset());
    this.reset();
  }

  /** Takes the question back. */
  reset(): void {
    this.ask(false);
  }

  private async press(): Promise<void> {
    if (!this.asks) return this.ask(true);
    this.element.disabled = true;
    await this.act();
    this.element.disabled = false;
    this.reset();
  }

  private ask(asks: boolean): void {
    this.asks = asks;
    const words = asks ? this.words.confirm : this.words.press;
    this.element.textContent = words;
    this.element.setAttribute('aria-label', `${words}: ${this.name}`);
  }
}
