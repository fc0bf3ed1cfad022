/** Matches lines that ffmpeg writes after the reason of a failure. */
const AFTERWARDS = /^(Conversion failed|Error marking filters|\s*Last message repeated)/;

/** The reason of a failure in ffmpeg's log, without the name of the input. @param {string} words */
export function reason(words) {
  const lines = words.split('\n').filter((line) => line.trim() !== '' && !AFTERWARDS.test(line));
  return withoutSecrets((lines.at(-1) ?? '').replace(/^.*: (?=[^:]+$)/, '').trim());
}

/**
 * A text whose addresses have no user, password and parameters, which may be secret. @param {string} words
 */
export function withoutSecrets(words) {
  return words
    .replace(/([a-z]+:\/\/)[^\s/@]*@/gi, '$1')
    .replace(/([a-z]+:\/\/[^\s?]*)\?\S*/gi, '$1');
}
