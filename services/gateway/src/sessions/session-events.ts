import type { FacecastEvent } from '@facecast/shared/protocol/events';

type Listener = (event: FacecastEvent) => void;

/** Passes each event to the listeners of its session. */
export class SessionEvents {
  private readonly listeners = new Map<string, Set<Listener>>();

  /** Calls `listener` for each event of a session; returns a function that removes it. */
  on(sessionId: string, listener: Listener): () => void {
    const listeners = this.listeners.get(sessionId) ?? new Set();
    this.listeners.set(sessionId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(sessionId) === listeners) {
        this.listeners.delete(sessionId);
      }
    };
  }

  deliver(event: FacecastEvent): void {
    for (const listener of this.listeners.get(event.sessionId) ?? []) listener(event);
  }
}
