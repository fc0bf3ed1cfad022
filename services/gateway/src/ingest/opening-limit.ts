import type { Duplex } from 'node:stream';

/** A frame's header, a ping or two. */
const HEADROOM_BYTES = 1_024;

/** Bytes of all sockets together that have no place yet. */
export class UnplacedBytes {
  size = 0;

  constructor(readonly most: number) {}
}

/**
 * Bounds what a socket may send before it has a place, by the bytes as they arrive: a message that is
 * never finished takes memory, too. Before `started` that is one text message; between `started` and the
 * first whole message of media, all such sockets share a room.
 */
export class OpeningLimit {
  private received = 0;
  private hasStarted = false;

  /**
   * @param onTooLarge the first message is larger than it may be; called at most once, like `onFull`
   * @param onFull there is no room for so many unfinished messages
   */
  constructor(
    private readonly socket: Duplex,
    private readonly textBytes: number,
    private readonly all: UnplacedBytes,
    private readonly events: { onTooLarge: () => void; onFull: () => void },
  ) {
    socket.on('data', this.count);
    socket.once('close', this.lift);
  }

  /** The first message is answered: media may come. */
  started(): void {
    this.hasStarted = true;
  }

  /** The socket has its place, or has gone: what it sends is counted elsewhere. */
  readonly lift = (): void => {
    this.socket.off('data', this.count);
    this.socket.off('close', this.lift);
    this.all.size -= this.received;
    this.received = 0;
  };

  private readonly count = ({ length }: Buffer): void => {
    this.received += length;
    this.all.size += length;
    const isTooLarge = !this.hasStarted && this.received > this.textBytes + HEADROOM_BYTES;
    if (!isTooLarge && this.all.size <= this.all.most) return;
    this.lift();
    if (isTooLarge) this.events.onTooLarge();
    else this.events.onFull();
  };
}
