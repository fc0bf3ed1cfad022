import { commandOf, type Focused, type PlayerCommand } from './shortcuts.js';

/**
 * Listens for the player's shortcuts, on the whole page.
 * @param carryOut whether the command did anything: else its key is the browser's
 */
export function listenForShortcuts(carryOut: (command: PlayerCommand) => boolean): void {
  document.addEventListener('keydown', (event) => {
    const command = commandOf({
      key: event.key,
      hasModifier: event.ctrlKey || event.altKey || event.shiftKey || event.metaKey,
      isRepeated: event.repeat,
      focused: focusedOf(event.target),
    });
    if (command && carryOut(command)) event.preventDefault();
  });
}

/**
 * Takes the focus from a button after a press with a pointer: so Space plays and pauses as before, and the controls
 * can hide. Who uses the keyboard keeps the focus.
 */
export function releaseFocusAfterPress(controls: HTMLElement): void {
  controls.addEventListener('click', ({ detail }) => {
    const focused = document.activeElement;
    const isPointer = detail > 0;
    if (isPointer && focused instanceof HTMLElement && focusedOf(focused) === 'button')
      focused.blur();
  });
}

function focusedOf(target: EventTarget | null): Focused {
  if (!(target instanceof HTMLElement)) return 'nothing';
  // Arrows do the same there as everywhere.
  if (target.id === 'scrubber') return 'nothing';
  if (target.matches('button, summary')) return 'button';
  if (target.matches('input[type="range"]')) return 'slider';
  return target.matches('input, select, textarea') ? 'text' : 'nothing';
}
