import type { FacecastEvent } from '@facecast/shared/protocol/events';

type Listener = (event: FacecastEvent) => void;

/** Hands each event to those who care for its session, however many sessions there are. */
export class SessionEvents {
  private readonly listeners = new Map<string, Set<Listener>>();

  /** Calls `listener` for each event of a session; the answer takes it off again. */
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
