/** As often as a camera's recording is handed out, in milliseconds. */
const EVERY_MS = 100;

setInterval(() => postMessage(undefined), EVERY_MS);
