/** Whether a text can be a session's id at all: nothing else may become part of a path or a key. */
export function isSessionId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}
