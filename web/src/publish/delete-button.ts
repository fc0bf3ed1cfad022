const DELETE = 'Delete';
const CONFIRM = 'Delete for good';

/** A button that asks with its first press, and deletes with the second. */
export class DeleteButton {
  readonly element: HTMLButtonElement;
  private readonly name: string;
  private readonly onDelete: () => Promise<void>;
  private asks = false;

  /** @param name what is deleted, for whoever does not see where the button is */
  constructor(
    name: string,
    onDelete: () => Promise<void>,
    element = document.createElement('button'),
  ) {
    this.name = name;
    this.onDelete = onDelete;
    this.element = element;
    element.type = 'button';
    element.classList.add('secondary');
    element.addEventListener('click', () => void this.press());
    element.addEventListener('blur', () => this.reset());
    this.reset();
  }

  /** Nothing is asked any more. */
  reset(): void {
    this.ask(false);
  }

  private async press(): Promise<void> {
    if (!this.asks) return this.ask(true);
    this.element.disabled = true;
    await this.onDelete();
    this.element.disabled = false;
    this.reset();
  }

  private ask(asks: boolean): void {
    this.asks = asks;
    const words = asks ? CONFIRM : DELETE;
    this.element.textContent = words;
    this.element.setAttribute('aria-label', `${words}: ${this.name}`);
  }
}
