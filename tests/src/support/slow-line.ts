import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

const PIECE_BYTES = 1400;

/** A proxy to a server on this machine with a limited uplink. */
export class SlowLine {
  /** Limit of each connection towards the server; Infinity for none. */
  bitsPerSecond = Infinity;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** Address of the server behind the proxy. */
    readonly url: string,
  ) {}

  static async to(target: string): Promise<SlowLine> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const line = new SlowLine(server, `http://localhost:${port}`);
    server.on('connection', (client) => line.join(client, Number(new URL(target).port)));
    return line;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(client: Socket, port: number): void {
    const server = connect(port, 'localhost');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    server.pipe(client);
    void this.carry(client, server);
  }

  /** Carries bytes piece by piece, as a slow network does; ends with the connection. */
  private async carry(client: Socket, server: Socket): Promise<void> {
    try {
      for await (const bytes of client as AsyncIterable<Buffer>) {
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          const piece = bytes.subarray(at, at + PIECE_BYTES);
          server.write(piece);
          if (this.bitsPerSecond < Infinity)
            await after((8000 * piece.length) / this.bitsPerSecond);
        }
      }
    } catch {
      // The connection broke off.
    }
  }
}
