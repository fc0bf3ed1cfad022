import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './setup/paths.mjs';

/** Folders that are not the project's own, or are made by a build or a run. */
const SKIPPED = new Set(['node_modules', 'dist', 'dist-types', '.git', 'data']);

/** The path of every file and folder of the project, with slashes. @type {(directory: string) => string[]} */
const below = (directory) =>
  readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = posix.join(directory, entry.name);
    return entry.isDirectory() ? [`${path}/`, ...below(path)] : [path];
  });

const paths = new Set(below('.'));
const documents = [...paths].filter((path) => path.endsWith('.md') && !path.includes('/models/'));

/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

/** A reference in a document: a source file with its folder, perhaps with a symbol of it. */
const REFERENCE =
  /`((?:services|shared|web|tests|scripts|docs)\/[\w./-]*?(?:\/|\.(?:ts|mjs|md|html)))(?::(\w+))?`/g;
/** A link to another document of the project, perhaps to one of its headings. */
const LINK = /\]\((?!\w+:)([^)#\s]*)(?:#([^)]*))?\)/g;

/**
 * The faults of a document's references and links, in words.
 *
 * @param {string} document
 */
function brokenReferences(document) {
  const text = read(document);
  const references = [...text.matchAll(REFERENCE)].flatMap(([, path = '', symbol]) => {
    if (!paths.has(path)) return [`${path} is not there`];
    const isThere = symbol === undefined || new RegExp(`\\b${symbol}\\b`).test(code(path));
    return isThere ? [] : [`${path} has no ${symbol}`];
  });
  const links = [...text.matchAll(LINK)].flatMap(([, target = '', anchor]) => {
    const path = target === '' ? document : posix.join(dirname(document), target);
    const isThere = paths.has(path) || paths.has(`${path}/`);
    const isHeadingThere = anchor === undefined || (isThere && anchorsOf(path).includes(anchor));
    return isThere && isHeadingThere ? [] : [`the link to ${target}#${anchor} leads nowhere`];
  });
  return [...references, ...links];
}

/** The anchors of a document's headings. @param {string} path */
function anchorsOf(path) {
  return [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The text of a source file without its comments. @param {string} path */
function code(path) {
  return read(path).replaceAll(/\/\*[^]*?\*\/|\/\/ .*$/gm, '');
}

/** A line to be copied into a shell: one command, perhaps with settings before and a comment after it. */
const COMMAND = /^(?:[A-Z_]+=\S+ )*(?:npm|docker|taskset) (?:(?! # ).)*(?: # (?:(?! # ).)*)?$/;

/** The lines of a document's shell blocks that are no command of their own. @param {string} document */
function brokenCommands(document) {
  const blocks = [...read(document).matchAll(/^```sh\n([^]*?)^```$/gm)].map(
    ([, block = '']) => block,
  );
  const lines = blocks.flatMap((block) => block.trimEnd().split('\n'));
  return lines.filter((line) => line !== '' && !COMMAND.test(line));
}

describe('documents', () => {
  test.each(documents)('each line of a shell block of %s is one command', (document) => {
    expect(brokenCommands(document)).toEqual([]);
  });

  test.each(documents)('%s names only files, symbols and headings that exist', (document) => {
    expect(brokenReferences(document)).toEqual([]);
  });
});
