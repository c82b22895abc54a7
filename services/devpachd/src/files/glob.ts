import { refused } from '../store/errors.ts';

/** Stands where a negation's scope may have to end; never part of a path. */
const CLOSE_NEGATION = '\uffff';
const BOUNDARY = '\ufffe';
const NOT_SLASH = '[^/]';
const NOT_NEWLINE = '[^\\n]';

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  ':alnum:': '0-9A-Za-z',
  ':alpha:': 'A-Za-z',
  ':ascii:': '\\x00-\\x7F',
  ':blank:': '\\t ',
  ':cntrl:': '\\x00-\\x1F\\x7F',
  ':digit:': '0-9',
  ':graph:': '!-~',
  ':lower:': 'a-z',
  ':print:': ' -~',
  ':punct:': '!-\\/:-@\\[-`{-~',
  ':space:': '\\t\\n\\v\\f\\r ',
  ':upper:': 'A-Z',
  ':word:': '0-9A-Za-z_',
  ':xdigit:': '0-9A-Fa-f',
};

/** What may stand for anything but itself. */
const SPECIAL = /[*?[\]{}()!@+^,|\\]/;

/** What ends the pattern that is being read: nothing, a brace's comma or end, a group's bar or end. */
type Inside = 'top' | 'braces' | 'group';

const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/**
 * Compiles a glob to a test of whole paths. `*` and `?` stop at a slash, `**` does not; `[a-z]`, `[!a]`, `{a,b}`, `@(a|b)`, `*(a)`, `+(a)`,
 * `?(a)`, `!(a)` and escaping by a backslash work as in pachd's glob library. Throws for what that refuses.
 */
export function compileGlob(glob: string): (path: string) => boolean {
  const at = glob.search(SPECIAL);
  if (at < 0) return (path) => path === glob;
  const { regex, end } = readPattern(glob, 0, 'top');
  if (end < glob.length) throw refused(`unexpected token: ${glob[end]}`);
  const prefix = glob.slice(0, at);
  return compileRegex(glob, regex.slice(literalRegex(prefix).length), prefix);
}

/** Long paths would make expressions that V8 refuses, so what a glob begins with is compared as it is. */
function compileRegex(glob: string, regex: string, prefix: string): (path: string) => boolean {
  try {
    const pattern = new RegExp(`^${placeNegations(regex)}$`);
    // It is compiled, and may be refused, at its first use.
    pattern.test('');
    return (path) => path.startsWith(prefix) && pattern.test(path.slice(prefix.length));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refused(`error parsing regexp: expression too large: ${glob.length} characters`);
  }
}

function literalRegex(text: string): string {
  return text
    .split('')
    .map((char) => quote(char) + BOUNDARY)
    .join('');
}

/** Whether a glob matches a path of a tree, in which directories end in a slash. */
export function matchPath(glob: string): (path: string) => boolean {
  const test = compileGlob(glob);
  return (path) => (path === '/' && glob === '/') || test(path.replace(/\/+$/, ''));
}

/** A negation reaches to the next fixed text or star, and to the end where there is none. */
function placeNegations(regex: string): string {
  const at = regex.indexOf(`${CLOSE_NEGATION})`);
  const ends = at > 0 && !regex.slice(at).includes(BOUNDARY) ? '$' : '';
  return regex.replaceAll(CLOSE_NEGATION, at > 0 ? ends : CLOSE_NEGATION).replaceAll(BOUNDARY, '');
}

interface Read {
  readonly regex: string;
  /** Where reading goes on. */
  readonly end: number;
}

function readPattern(glob: string, start: number, inside: Inside): Read {
  let regex = '';
  let at = start;
  while (at < glob.length) {
    const char = glob[at] ?? '';
    const next = glob[at + 1];
    if (inside === 'braces' && (char === ',' || char === '}')) break;
    if (inside === 'group' && (char === '|' || char === ')')) break;
    let piece: Read;
    if (next === '(' && '@*+?!'.includes(char)) piece = readGroup(glob, at + 2, char);
    else if (next === '(' && char === '^') throw refused('unimplemented quatifier ^');
    else if (char === '(') piece = readGroup(glob, at + 1, '@');
    else if (char === '*' && next === '*' && glob[at + 2] !== '(')
      piece = { regex: `${NOT_NEWLINE}*${BOUNDARY}`, end: at + 2 };
    else if (char === '*') piece = { regex: `${NOT_SLASH}*${BOUNDARY}`, end: at + 1 };
    else if (char === '?') piece = { regex: NOT_SLASH, end: at + 1 };
    else if (char === '[') piece = readList(glob, at + 1);
    else if (char === '{') piece = readBraces(glob, at + 1);
    else if (char === '\\') piece = { regex: quote(next ?? '') + BOUNDARY, end: at + 2 };
    else piece = { regex: quote(char) + BOUNDARY, end: at + 1 };
    regex += piece.regex;
    at = piece.end;
  }
  return { regex, end: Math.min(at, glob.length) };
}

function readAlternatives(
  glob: string,
  start: number,
  inside: Inside,
  close: string,
): { parts: string[]; end: number } {
  const parts: string[] = [];
  let at = start;
  for (;;) {
    const part = readPattern(glob, at, inside);
    parts.push(part.regex);
    at = part.end + 1;
    if (part.end >= glob.length || glob[part.end] === close) return { parts, end: Math.min(at, glob.length) };
  }
}

function readBraces(glob: string, start: number): Read {
  const { parts, end } = readAlternatives(glob, start, 'braces', '}');
  return { regex: `(?:${parts.join('|')})`, end };
}

function readGroup(glob: string, start: number, quantifier: string): Read {
  const { parts, end } = readAlternatives(glob, start, 'group', ')');
  if (quantifier === '!') {
    return { regex: `(?:(?:(?!(?:${parts.join(`${CLOSE_NEGATION}|`)}${CLOSE_NEGATION}))${NOT_SLASH}*))`, end };
  }
  const repeat = quantifier === '@' ? '' : quantifier;
  return { regex: `(?:${parts.join('|')})${repeat}`, end };
}

function readList(glob: string, start: number): Read {
  let at = start;
  const not = glob[at] === '!' || glob[at] === '^';
  if (not) at++;
  let chars = '';
  for (;;) {
    const char = glob[at];
    if (char === undefined) throw refused('unexpected end of input');
    if (char === ']') break;
    const posix = char === '[' ? /^\[:(\^?)(\w+):\]/.exec(glob.slice(at)) : null;
    const known = posix && POSIX_CLASSES[`:${posix[2]}:`];
    if (posix && known !== undefined && known !== null) {
      if (posix[1]) return readRestOfNegatedClass(glob, at + posix[0].length, known);
      chars += known;
      at += posix[0].length;
    } else if (char === '\\') {
      chars += quote(glob[at + 1] ?? '');
      at += 2;
    } else {
      chars += char === '-' ? '-' : quote(char);
      at++;
    }
  }
  if (chars === '') throw refused('unexpected end of input');
  try {
    new RegExp(`[${chars}]`);
  } catch (error) {
    throw refused(`error parsing regexp: [${chars}]: ${error instanceof Error ? error.message : ''}`);
  }
  return { regex: `[${not ? '^' : ''}${chars}]`, end: at + 1 };
}

/** `[[:^alpha:]]`: the class is negated inside its own brackets, and nothing else may stand beside it. */
function readRestOfNegatedClass(glob: string, at: number, chars: string): Read {
  if (glob[at] !== ']') throw refused('unexpected end of input');
  return { regex: `[^${chars}]`, end: at + 1 };
}
