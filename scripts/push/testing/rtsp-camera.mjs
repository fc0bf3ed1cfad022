import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A camera that speaks RTSP 1.0 (RFC 2326), only over TCP, as many do behind a firewall. */
export class RtspCamera {
  /** @type {import('node:net').Server | undefined} */
  #server;
  /** @type {Set<import('node:net').Socket>} */
  #viewers = new Set();
  #port = 0;

  /** @param {import('node:child_process').ChildProcess} lens @param {string} description */
  constructor(lens, description) {
    this.lens = lens;
    this.description = description;
  }

  static async create() {
    const packets = createSocket('udp4').bind(0, '127.0.0.1');
    await once(packets, 'listening');
    const { port } = packets.address();
    const picture = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30'];
    const encoding = ['-c:v', 'libx264', '-tune', 'zerolatency', '-g', '15', '-pix_fmt', 'yuv420p'];
    const lens = spawn(
      'ffmpeg',
      ['-v', 'error', '-nostdin', ...picture, ...encoding, '-f', 'rtp', `rtp://127.0.0.1:${port}`],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    lens.once('close', () => packets.close());
    const [sdp] = await once(lens.stdout, 'data');
    const media = String(sdp)
      .replace(/^SDP:\s*/, '')
      .replaceAll(/\r?\n/g, '\r\n')
      .trim();
    const camera = new RtspCamera(lens, `${media}\r\na=control:video\r\n`);
    packets.on('message', (packet) => camera.#show(packet));
    await camera.plugIn();
    return camera;
  }

  get address() {
    return `rtsp://admin:secret@127.0.0.1:${this.#port}/live`;
  }

  async plugIn() {
    this.#server = createServer((socket) => this.#answer(socket));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  unplug() {
    this.#server?.close();
    for (const viewer of this.#viewers) viewer.destroy();
  }

  close() {
    this.unplug();
    this.lens.kill('SIGKILL');
  }

  /** @param {import('node:net').Socket} socket */
  #answer(socket) {
    let asked = '';
    socket.on('error', () => undefined).on('close', () => this.#viewers.delete(socket));
    socket.setEncoding('latin1').on('data', (words) => {
      asked += words;
      for (let end; (end = asked.indexOf('\r\n\r\n')) >= 0; asked = asked.slice(end + 4))
        socket.write(this.#reply(asked.slice(0, end), socket));
    });
  }

  /** @param {string} request @param {import('node:net').Socket} socket */
  #reply(request, socket) {
    // Viewers' reception reports come in between, in binary.
    const [, method = '', headers = ''] =
      /([A-Z_]+) rtsp:\S+ RTSP\/1\.0\r\n(.*)$/s.exec(request) ?? [];
    const sequence = /CSeq: *(\d+)/i.exec(headers)?.[1];
    const transport = /Transport: *(\S+)/i.exec(headers)?.[1] ?? '';
    const isRefused = method === 'SETUP' && !transport.includes('TCP');
    if (method === 'PLAY') this.#viewers.add(socket);
    const answers = [
      `RTSP/1.0 ${isRefused ? '461 Unsupported Transport' : '200 OK'}`,
      `CSeq: ${sequence}`,
    ];
    if (method === 'OPTIONS') answers.push('Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN');
    if (method === 'SETUP') answers.push(`Transport: ${transport}`);
    if (method !== 'OPTIONS') answers.push('Session: 1');
    if (method !== 'DESCRIBE') return `${answers.join('\r\n')}\r\n\r\n`;
    const length = `Content-Length: ${this.description.length}`;
    return `${[...answers, 'Content-Type: application/sdp', length].join('\r\n')}\r\n\r\n${this.description}`;
  }

  /** @param {Buffer} packet of RTP */
  #show(packet) {
    const head = Buffer.from([0x24, 0, packet.length >> 8, packet.length & 0xff]);
    for (const viewer of this.#viewers) viewer.write(Buffer.concat([head, packet]));
  }
}
