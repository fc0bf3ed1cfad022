import type { StartedSession } from '../uplink/started-session.js';

/** A storage that is gone with the test. */
export function memoryStorage() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

/** What a server told of a session with this id. */
export function sessionCalled(
  sessionId: string,
  more: Partial<StartedSession> = {},
): StartedSession {
  return {
    type: 'started',
    sessionId,
    resumeToken: 'secret',
    playlistUrl: `/hls/${sessionId}/live.m3u8`,
    watchUrl: `/watch/${sessionId}`,
    resumeSeconds: 15,
    effects: ['none', 'box', 'blur', 'pixelate', 'black'],
    keptMinutes: 10,
    ...more,
  };
}
