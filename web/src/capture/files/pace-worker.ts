/** As often as a camera's input stream is handed out, in milliseconds. */
const EVERY_MS = 100;

setInterval(() => postMessage(undefined), EVERY_MS);
