/** Whether a text has the form of a session's id. Nothing else may become part of a path or a key. */
export function isSessionId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}
