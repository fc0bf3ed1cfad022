/** What a viewer can tell the player, with a key or a button. */
export type PlayerCommand =
  | { name: 'play' | 'mute' | 'full-screen' | 'picture-in-picture' }
  | { name: 'seek-by'; seconds: number }
  | { name: 'seek-to'; fraction: number };

/** Something that has the focus, by the keys that it uses itself. */
export type Focused = 'nothing' | 'button' | 'slider' | 'text';

export interface KeyPress {
  /** As in `KeyboardEvent.key`. */
  key: string;
  /** Whether Ctrl, Alt, Shift or Meta is held. */
  hasModifier: boolean;
  /** Whether it comes from a key that is held down. */
  isRepeated: boolean;
  focused: Focused;
}

/** How far an arrow key moves, in seconds. */
const ARROW_SECONDS = 5;

const USED_BY: Record<Focused, (key: string) => boolean> = {
  nothing: () => false,
  button: (key) => key === ' ',
  slider: (key) => key.startsWith('Arrow'),
  text: () => true,
};

/** The command of a key; undefined if the key is not ours. */
export function commandOf(press: KeyPress): PlayerCommand | undefined {
  if (press.hasModifier || USED_BY[press.focused](press.key)) return undefined;
  const seek = seekOf(press.key);
  // A held key would switch to and fro.
  return seek ?? (press.isRepeated ? undefined : switchOf(press.key));
}

function seekOf(key: string): PlayerCommand | undefined {
  if (key === 'ArrowLeft') return { name: 'seek-by', seconds: -ARROW_SECONDS };
  if (key === 'ArrowRight') return { name: 'seek-by', seconds: ARROW_SECONDS };
  if (/^\d$/.test(key)) return { name: 'seek-to', fraction: Number(key) / 10 };
  return undefined;
}

function switchOf(key: string): PlayerCommand | undefined {
  switch (key.toLowerCase()) {
    case ' ':
    case 'k':
      return { name: 'play' };
    case 'm':
      return { name: 'mute' };
    case 'f':
      return { name: 'full-screen' };
    case 'i':
      return { name: 'picture-in-picture' };
    default:
      return undefined;
  }
}
