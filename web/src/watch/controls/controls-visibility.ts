/** Without a movement or a key for so long (milliseconds), the controls leave the picture alone. */
export const HIDE_AFTER_MS = 3_000;

/** What a viewer does with the player. */
export interface ControlsUse {
  isPlaying: boolean;
  /** Time since the last movement of the pointer, touch or key, in milliseconds. */
  idleMs: number;
  /** Whether a control has the keyboard's focus. */
  isFocused: boolean;
  /** Whether the mouse is on them. */
  isPointedAt: boolean;
  /** Whether the help is open. */
  isHelpOpen: boolean;
}

/** Whether the controls are to be seen. */
export function areControlsShown(use: ControlsUse): boolean {
  const { isPlaying, idleMs, isFocused, isPointedAt, isHelpOpen } = use;
  return !isPlaying || isFocused || isPointedAt || isHelpOpen || idleMs < HIDE_AFTER_MS;
}
