/**
 * Prints the services' log lines: readable on a terminal, elsewhere as JSON.
 *
 * @returns {Promise<(name: string, line: string) => void>}
 */
export async function createLogPrinter() {
  if (!process.stdout.isTTY) return (name, line) => console.log(asJson(name, line));
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,service',
    messageFormat: '{service}: {msg}',
    singleLine: true,
  });
  return (name, line) => process.stdout.write(pretty(asJson(name, line)));
}

/**
 * @param {string} service
 * @param {string} line any line; one that is no JSON object becomes the message of one
 */
function asJson(service, line) {
  if (line.startsWith('{')) return line;
  return JSON.stringify({ level: 'info', time: new Date().toISOString(), service, msg: line });
}
