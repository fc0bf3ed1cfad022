/** What to record in a browser. */
export interface RecordingRequest {
  mimeType: string;
  seconds: number;
}

/**
 * Runs in a page: records a canvas of 320x240 with the marks of a marked clip, and with clicks at the
 * flashes if the type names an audio codec. Resolves to the input stream in base64.
 */
export async function recordInBrowser({ mimeType, seconds }: RecordingRequest): Promise<string> {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [320, 240];
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  const sound = new AudioContext();
  const gain = sound.createGain();
  const output = sound.createMediaStreamDestination();
  const tone = sound.createOscillator();
  tone.frequency.value = 3000;
  gain.gain.value = 0;
  tone.connect(gain).connect(output);
  tone.start();
  // Not awaited: without a sound device, Firefox never reports that it runs.
  void sound.resume();
  const stream = new MediaStream([
    ...canvas.captureStream(30).getVideoTracks(),
    ...(mimeType.includes('opus') ? output.stream.getAudioTracks() : []),
  ]);
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: 2_500_000 });
  const chunks: Blob[] = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  recorder.start(100);
  const end = performance.now() + 1000 * seconds;
  for (let frame = 0; performance.now() < end; frame++) {
    const isWhite = frame % 30 === 15 || frame % 30 === 16;
    if (frame % 30 === 15) {
      gain.gain.setValueAtTime(0.6, sound.currentTime);
      gain.gain.setValueAtTime(0, sound.currentTime + 0.02);
    }
    context.fillStyle = isWhite ? '#fff' : `hsl(${frame % 360} 50% 30%)`;
    context.fillRect(0, 0, 320, 240);
    for (let bit = 0; bit < 16; bit++) {
      context.fillStyle = (frame >> (15 - bit)) & 1 ? '#fff' : '#000';
      context.fillRect(20 * bit, 0, 20, 20);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 / 30));
  }
  await new Promise((resolve) => {
    recorder.onstop = resolve;
    recorder.stop();
  });
  await sound.close();
  const url = await new Promise<string>((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsDataURL(new Blob(chunks));
  });
  return url.slice(url.indexOf(',') + 1);
}
