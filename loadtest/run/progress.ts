/** Lines that tell how far it is: one that changes where that can be shown, else one now and then. */
export interface Progress {
  /** Every line is shown. */
  say(line: string): void;
  /** Shown for a moment. */
  show(line: string): void;
}

const SHOW_EVERY_MS = 5_000;

export function createProgress(out: NodeJS.WriteStream): Progress {
  let shownMs = 0;
  let open = false;
  return {
    say(line) {
      out.write(`${open ? '\r\u001b[2K' : ''}${line}\n`);
      open = false;
    },
    show(line) {
      if (out.isTTY) {
        out.write(`\r\u001b[2K${line}`);
        open = true;
      } else if (Date.now() - shownMs >= SHOW_EVERY_MS) {
        shownMs = Date.now();
        out.write(`${line}\n`);
      }
    },
  };
}
