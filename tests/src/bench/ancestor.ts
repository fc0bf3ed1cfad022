import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { WebSocketServer } from 'ws';

/**
 * The way of the demonstration that this project descends from: chunks of a second over a WebSocket
 * into one ffmpeg, whose own HLS muxer writes segments of five seconds, played by hls.js as it comes.
 * No faces are looked for, so what it shows is a lower bound of how late such a system is.
 */
export async function startAncestor(directory: string): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const name = basename(request.url ?? '');
    const file = name === 'hls.js' ? hlsJs() : join(directory, name);
    if (name === '' || name === '/') {
      response.setHeader('content-type', 'text/html');
      response.end(PAGE);
      return;
    }
    readFile(file).then(
      (bytes) => {
        response.setHeader(
          'content-type',
          CONTENT_TYPES[name.split('.').at(-1) ?? ''] ?? 'video/mp2t',
        );
        response.end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    const output = ['-c:v', 'libx264', '-preset', 'ultrafast', '-f', 'hls', '-hls_time', '5'];
    const ffmpeg = spawn(
      'ffmpeg',
      ['-loglevel', 'error', '-i', 'pipe:0', '-r', '30', ...output, join(directory, 'live.m3u8')],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    ffmpeg.stdin.on('error', () => {});
    socket.on('message', (chunk: Buffer) => ffmpeg.stdin.write(chunk));
    socket.on('close', () => ffmpeg.kill('SIGKILL'));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      sockets.clients.forEach((socket) => socket.terminate());
      server.close();
      server.closeAllConnections();
    },
  };
}

const CONTENT_TYPES: Record<string, string> = {
  js: 'text/javascript',
  m3u8: 'application/vnd.apple.mpegurl',
};

const hlsJs = () => createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');

const PAGE = `<!doctype html>
<button data-testid="start">Start</button>
<video data-testid="processed" muted autoplay width="640" height="480"></video>
<script src="hls.js"></script>
<script>
  document.querySelector('button').onclick = async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    const socket = new WebSocket(location.href.replace('http', 'ws'));
    await new Promise((opened) => (socket.onopen = opened));
    const recorder = new MediaRecorder(stream, { mimeType: 'video/webm;codecs=vp8' });
    recorder.ondataavailable = ({ data }) => socket.send(data);
    recorder.start(1000);
    while (!(await fetch('live.m3u8')).ok) await new Promise((later) => setTimeout(later, 200));
    const hls = new Hls();
    hls.loadSource('live.m3u8');
    hls.attachMedia(document.querySelector('video'));
  };
</script>`;
