import type { WebSocket } from 'ws';

/** Maximum bytes that wait to be sent to a viewer; with more, the viewer is slower than the stream. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** A viewer that was too slow goes on once no more bytes than this wait. */
const GO_ON_BYTES = 64 * 1024;

/** An initialization section, for a viewer. */
export interface PushedInit {
  mimeType: string;
  bytes: Buffer;
}

/** A part of the stream, for a viewer. */
export interface PushedPart {
  init: PushedInit;
  bytes: Buffer;
  /** Whether it begins with a key frame. */
  isIndependent: boolean;
  /** Which media time, in seconds, was captured when, in milliseconds since the epoch; if it is said. */
  date: { mediaTime: number; date: number } | undefined;
}

/** Sends a stream to one viewer: every part, or after a gap from a key frame on. */
export class PushViewer {
  private init: PushedInit | undefined;
  private isBehind = false;

  constructor(
    private readonly socket: WebSocket,
    private readonly maxBuffered = MAX_BUFFERED_BYTES,
  ) {}

  /** Sends a part, unless the viewer cannot keep up. */
  send(part: PushedPart): void {
    const { bufferedAmount } = this.socket;
    if (bufferedAmount > this.maxBuffered) this.isBehind = true;
    if (this.isBehind && !(part.isIndependent && bufferedAmount <= GO_ON_BYTES)) return;
    if (this.isBehind) this.say({ type: 'gap' });
    this.isBehind = false;
    if (this.init !== part.init) this.sendInit(part.init);
    if (part.date) this.say({ type: 'date', ...part.date });
    this.socket.send(part.bytes);
  }

  /** Records that parts are missing before the next key frame. */
  leaveGap(): void {
    this.isBehind = true;
  }

  /** Tells the viewer that the stream is over. */
  end(): void {
    this.say({ type: 'ended' });
    this.socket.close(1000);
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  private sendInit(init: PushedInit): void {
    this.init = init;
    this.say({ type: 'init', mimeType: init.mimeType });
    this.socket.send(init.bytes);
  }

  private say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }
}
